"""Pools of kept-alive connections."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.edge.messages import GET, OK, answer, asked, passed
from tests.edge.scene import TIMES, Stage
from tests.edge.wires import FakeWire
from twisted.internet.task import Clock

from sorryd.edge.member_connection import MemberConnection
from sorryd.edge.member_interfaces import NewConnection
from sorryd.edge.members import KEPT, Pool
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import Waits, Wheel
from sorryd.model import Member, MemberTls


class Nobody:
    """Connects to nobody."""

    timeout = TIMES.connect

    def take(self, member: Member) -> None:
        """There is no name to look up."""

    def connect(
        self, connection: NewConnection, member: Member, done: Callable[[str | None], None]
    ) -> Callable[[], None]:
        raise AssertionError("nobody was to be connected to")


def pool_of(member: Member) -> Pool:
    clock = Clock()
    return Pool(member, Waits(TIMES), 1000, Wheel(clock, clock.seconds), Nobody(), Tally())


@pytest.mark.parametrize(
    ("host", "port", "tls", "authority"),
    [
        ("10.0.0.1", 3000, None, b"10.0.0.1:3000"),
        ("app.internal", 80, None, b"app.internal"),
        ("app.internal", 443, MemberTls(), b"app.internal"),
        ("app.internal", 80, MemberTls(), b"app.internal:80"),
        ("::1", 3000, None, b"[::1]:3000"),
    ],
)
def test_authority(host: str, port: int, tls: MemberTls | None, authority: bytes) -> None:
    """A member's own name in Host leaves out its scheme's port."""
    member = Member(url="x", host=host, port=port, tls=tls)
    assert pool_of(member).authority == authority


def test_last_used_first(stage: Stage) -> None:
    """Of several idle connections the one used last is taken, so that the others can go."""
    scene = stage()
    visitors = [scene.visitor() for _ in range(3)]
    for visitor in visitors:
        visitor.says(GET)
    members = [scene.member() for _ in range(3)]
    for member in (members[2], members[0], members[1]):
        member.says(OK)
        member.gets()
    visitors[0].says(GET)
    assert [member.gets() for member in members] == [b"", asked(GET), b""]
    members[1].says(OK)


def test_connections_grow_with_requests(stage: Stage) -> None:
    """Each exchange has a connection of its own."""
    scene = stage()
    visitors = [scene.visitor() for _ in range(10)]
    for visitor in visitors:
        visitor.says(GET)
    assert scene.active == [10]
    for n in range(10):
        member = scene.member()
        assert member.gets() == asked(GET)
        member.says(answer(b"%d" % n))
    assert [visitor.gets() for visitor in visitors] == [
        passed(answer(b"%d" % n)) for n in range(10)
    ]
    assert scene.active == [0]


def test_idle_connections_are_limited() -> None:
    """No more than `KEPT` idle connections are kept per member."""
    pool = pool_of(Member(url="x", host="a", port=80))
    wires = []
    for _ in range(KEPT + 3):
        connection = MemberConnection(pool)
        wires.append(FakeWire("a", lambda: None))
        wires[-1].start(connection)
        pool.put(connection)
    assert sum(wire.is_open for wire in wires) == KEPT
    for wire in wires:
        wire.step()
    assert len(pool.wheel) == KEPT
    pool.close()
    assert not any(wire.is_open for wire in wires)
    for wire in wires:
        wire.step()
    assert len(pool.wheel) == 0


class Looked(MemberConnection):
    """One that tells whether it is open as the test wants it."""

    __slots__ = ("looks",)

    looks: list[bool]

    def seems_open(self) -> bool:
        return self.looks.pop()


def idle(pool: Pool, looks: list[bool]) -> tuple[Looked, FakeWire]:
    connection = Looked(pool)
    connection.looks = looks
    wire = FakeWire("a", lambda: None)
    wire.start(connection)
    pool.put(connection)
    return connection, wire


def test_checked() -> None:
    """For a request that can't be sent again, connections that look closed are passed over."""
    pool = pool_of(Member(url="x", host="a", port=80))
    good, _ = idle(pool, [True])
    _, bad = idle(pool, [False])
    assert pool.take(checked=True) is good
    assert not bad.is_open
    assert pool.take(checked=True) is None


def test_unchecked() -> None:
    """Others take the first one: they can be sent again, and looking costs a system call."""
    pool = pool_of(Member(url="x", host="a", port=80))
    connection, _ = idle(pool, [])
    assert pool.take(checked=False) is connection


def test_closed_pool(stage: Stage) -> None:
    """When a site closes its pools, connections in use go on, and are closed after their use."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    scene.site.close()
    assert member.is_open
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert member.is_gone
