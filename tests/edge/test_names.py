"""Names of members: looked up in the background, by the clock, never lost again."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from sorryd.edge.names import AGAIN, LONGEST, SHORTEST, UNKNOWN_TTL, Name, Names
from sorryd.edge.resolving import Found, NotFound
from sorryd.edge.wheel import TICK, Wheel

OLD, NEW = ("192.0.2.1",), ("192.0.2.2", "192.0.2.3")


class World:
    """A clock, and a resolver that answers when it is told to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wheel = Wheel(self.clock, self.clock.seconds)
        self.wheel.start()
        self.asked: list[tuple[str, Deferred[Found]]] = []
        self.names = Names(self, self.wheel)

    def lookup(self, host: str) -> Deferred[Found]:
        if host == "bad":
            raise UnicodeError("not for DNS")
        self.asked.append((host, Deferred()))
        return self.asked[-1][1]

    def answers(self, addresses: tuple[str, ...], ttl: float | None = None) -> None:
        self.asked.pop(0)[1].callback(Found(addresses, ttl))

    def fails(self, why: str = "there is no such name") -> None:
        self.asked.pop(0)[1].errback(NotFound(why))

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.clock.advance(TICK)

    def name(self, addresses: tuple[str, ...] = OLD, ttl: float | None = None) -> Name:
        name = self.names.take("app.internal")
        self.answers(addresses, ttl)
        return name


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("told", "holds"),
    [(None, UNKNOWN_TTL), (30.0, 30.0), (0.0, SHORTEST), (1e9, LONGEST)],
    ids=["unknown", "told", "nothing", "years"],
)
def test_ttl(world: World, told: float | None, holds: float) -> None:
    """What was found is looked up again when it has run out, and not before."""
    world.name(OLD, told)
    world.passes(holds - 2 * TICK)
    assert not world.asked
    world.passes(4 * TICK)
    assert [host for host, _ in world.asked] == ["app.internal"]
    world.passes(10 * AGAIN)
    assert len(world.asked) == 1, "one question at a time"


def test_new_addresses(world: World) -> None:
    """New addresses replace the old ones all together, and the log says so once."""
    name = world.name()
    with capturedLogs() as logs:
        for _ in range(2):
            world.passes(UNKNOWN_TTL + 2 * TICK)
            assert name.addresses
            world.answers(NEW)
            assert name.addresses == NEW
    assert len(logs) == 1
    world.passes(UNKNOWN_TTL + 2 * TICK)
    with capturedLogs() as logs:
        world.answers(NEW[::-1])
    assert not logs, "another order is no news"


def test_failed_lookup(world: World) -> None:
    """A lookup that fails keeps what is known, and is tried again soon; told once a while."""
    name = world.name()
    world.passes(UNKNOWN_TTL + 2 * TICK)
    with capturedLogs() as logs:
        for _ in range(5):
            world.fails()
            assert name.addresses == OLD
            world.passes(AGAIN + 2 * TICK)
    assert len(logs) == 1
    world.answers(NEW)
    assert name.addresses == NEW


def test_never_found(world: World) -> None:
    """Who waits for the first addresses is told when the lookup has ended, either way."""
    name = world.names.take("app.internal")
    told: list[str] = []
    name.wait(lambda: told.append("a"))
    name.wait(lambda: told.append("b"))()
    assert len(world.asked) == 1
    world.fails("it has no address")
    assert (told, name.addresses, name.why) == (["a"], (), "it has no address")
    name.wait(lambda: told.append("c"))
    world.answers(NEW)
    assert (told, name.addresses) == (["a", "c"], NEW)


def test_unusable_name(world: World) -> None:
    """A name that can't even be asked for fails as any other."""
    name = world.names.take("bad")
    assert (name.addresses, name.why) == ((), "it can't be looked up")


def test_users(world: World) -> None:
    """Members of one name share it; it is looked up as long as there is one."""
    name = world.name()
    assert world.names.take("app.internal") is name
    name.leave()
    world.passes(UNKNOWN_TTL + 2 * TICK)
    world.answers(NEW)
    name.leave()
    world.passes(LONGEST)
    assert not world.asked
    assert len(world.wheel) == 0
    assert world.names.take("app.internal") is not name


def test_answer_after_the_last_user(world: World) -> None:
    """An answer that comes when nobody needs it any more starts nothing."""
    name = world.names.take("app.internal")
    name.leave()
    world.answers(NEW)
    world.passes(LONGEST)
    assert not world.asked
    assert len(world.wheel) == 0


def test_turns(world: World) -> None:
    """Each connection begins with another address; those that failed come last."""
    name = world.name(("a", "b", "c"))
    assert sorted(name.in_turn()[0] for _ in range(3)) == ["a", "b", "c"]
    name.could_not("b")
    assert [name.in_turn()[2] for _ in range(3)] == ["b"] * 3
    name.could("b")
    assert sorted(name.in_turn()[0] for _ in range(3)) == ["a", "b", "c"]
    name.could_not("c")
    world.passes(UNKNOWN_TTL + 2 * TICK)
    world.answers(("a", "b", "c"))
    assert sorted(name.in_turn()[0] for _ in range(3)) == ["a", "b", "c"]
