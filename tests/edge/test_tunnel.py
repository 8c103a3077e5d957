"""Upgraded connections: bytes both ways, until one side ends."""

from __future__ import annotations

import pytest
from tests.edge.messages import OK, asked, field_of, passed, request, status_of
from tests.edge.scene import NOON, TIMES, Scene, Stage, window
from tests.edge.wires import FakeWire

from sorryd.edge.tunnel import CLOSING
from sorryd.edge.wheel import TICK
from sorryd.model import Health

UPGRADE = b"Connection: Upgrade\r\nUpgrade: other/1\r\n"
ASK = request(fields=UPGRADE)
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nA: x\r\n" + UPGRADE + b"\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nA: x\r\nVia: 1.1 sorryd\r\n" + UPGRADE + b"\r\n"


def tunnel(scene: Scene) -> tuple[FakeWire, FakeWire]:
    """A visitor and a member with a tunnel between them."""
    visitor = scene.visitor()
    visitor.says(ASK)
    member = scene.member()
    assert member.gets() == asked(request(), UPGRADE)
    member.says(SWITCHING)
    assert visitor.gets() == SWITCHED
    return visitor, member


def test_both_ways(stage: Stage) -> None:
    """After 101 bytes go both ways as they are, for as long as it takes."""
    scene = stage()
    visitor, member = tunnel(scene)
    for _ in range(3):
        visitor.says(b"GET / HTTP/1.1\r\n\r\n")
        assert member.gets() == b"GET / HTTP/1.1\r\n\r\n"
        scene.passes(TIMES.tunnel - 1)
        member.says(b"HTTP/1.1 400 \r\n\r\n\x00\xff")
        assert visitor.gets() == b"HTTP/1.1 400 \r\n\r\n\x00\xff"
        scene.passes(TIMES.tunnel - 1)
    assert scene.active == [1]
    visitor.resets()
    assert member.is_gone
    assert scene.active == [0]
    assert scene.reports == []


def test_visitor_who_does_not_read_from_the_start(stage: Stage) -> None:
    """A tunnel to a visitor who takes nothing of what came before it is held up, too."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(ASK)
    member = scene.member()
    hints = b"HTTP/1.1 103 Early Hints\r\nA: " + b"x" * 30_000 + b"\r\n\r\n"
    member.says_at_once(3 * hints + SWITCHING)
    assert not member.is_reading
    member.says_at_once(bytes(100_000))
    assert visitor.waiting < 100_000
    visitor.reads()
    assert visitor.gets().endswith(bytes(100_000))
    visitor.resets()


def test_early_bytes(stage: Stage) -> None:
    """What either side says right behind its head is not lost."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(ASK + b"from the visitor")
    member = scene.member()
    assert member.gets() == asked(request(), UPGRADE)
    member.says(SWITCHING + b"from the member")
    assert visitor.gets() == SWITCHED + b"from the member"
    assert member.gets() == b"from the visitor"
    visitor.resets()


def test_declined(stage: Stage) -> None:
    """A member that answers as usual goes on as usual."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(ASK + request())
    member = scene.member()
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert member.gets() == asked(request(), UPGRADE) + asked(request())
    member.says(OK)


def test_apology(stage: Stage) -> None:
    """An upgrade that gets the apology is a request like any other."""
    scene = stage()
    scene.publish(window(NOON, NOON + 60))
    visitor = scene.visitor()
    visitor.says(ASK)
    got = visitor.gets()
    assert status_of(got) == 503
    assert field_of(got, b"Sorry-Cause") == b"window"
    assert visitor.is_open


def test_not_repeated(stage: Stage) -> None:
    """An upgrade may have begun something: it is not sent again."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(ASK)
    scene.member("a").ends()
    assert status_of(visitor.gets()) == 502
    assert scene.is_asking_nobody


@pytest.mark.parametrize("first", ["visitor", "member"])
def test_fin(stage: Stage, first: str) -> None:
    """FIN is handed on as FIN; the other direction goes on until it ends too."""
    scene = stage()
    visitor, member = tunnel(scene)
    one, other = (visitor, member) if first == "visitor" else (member, visitor)
    one.says(b"bye")
    one.ends()
    assert other.gets() == b"bye"
    assert other.has_fin
    assert not one.has_fin
    other.says(b"still here")
    assert one.gets() == b"still here"
    assert scene.active == [1]
    other.ends()
    assert one.has_fin
    assert one.is_gone
    assert other.is_gone
    assert scene.active == [0]


def test_fin_before_the_tunnel(stage: Stage) -> None:
    """FIN behind the request is handed on when the tunnel is there."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(ASK)
    visitor.ends()
    member = scene.member()
    member.says(SWITCHING)
    assert member.has_fin
    member.says(b"news")
    assert visitor.gets() == SWITCHED + b"news"
    member.ends()
    assert visitor.is_gone


@pytest.mark.parametrize("first", ["visitor", "member"])
def test_reset(stage: Stage, first: str) -> None:
    """One side lost: the other is closed, and the slot is free."""
    scene = stage()
    visitor, member = tunnel(scene)
    one, other = (visitor, member) if first == "visitor" else (member, visitor)
    one.resets()
    assert other.is_gone
    assert scene.active == [0]
    assert scene.failures == []


def test_rest(stage: Stage) -> None:
    """A tunnel in which nothing is said for `timeout_tunnel` is closed."""
    scene = stage()
    visitor, member = tunnel(scene)
    scene.passes(TIMES.tunnel)
    assert visitor.is_open
    scene.passes(2 * TICK)
    assert visitor.has_fin
    assert member.has_fin
    assert scene.active == [0]


def test_rest_not_taken(stage: Stage) -> None:
    """Who does not take what waits when the tunnel closes is reset."""
    scene = stage()
    visitor, member = tunnel(scene)
    visitor.stops_reading()
    member.says(b"x")
    scene.passes(TIMES.tunnel + 2 * TICK)
    assert member.is_gone
    assert not visitor.is_gone
    assert scene.active == [1]
    scene.passes(CLOSING + 2 * TICK)
    assert visitor.is_aborted
    assert scene.active == [0]


@pytest.mark.parametrize("slow", ["visitor", "member"])
def test_back_pressure(stage: Stage, slow: str) -> None:
    """A side that does not read makes sorryd not read from the other, until it does."""
    scene = stage()
    visitor, member = tunnel(scene)
    one, other = (visitor, member) if slow == "visitor" else (member, visitor)
    one.stops_reading()
    other.says_at_once(bytes(100_000))
    other.says_at_once(bytes(100_000))
    assert one.waiting == 100_000
    assert not other.is_reading
    one.says(b"the other way")
    assert other.gets() == b"the other way"
    one.reads()
    assert other.is_reading
    assert len(one.gets()) == 200_000
    visitor.resets()


def test_end_of_drain(stage: Stage) -> None:
    """A tunnel still open at the end of drain is cut, both sides."""
    scene = stage()
    visitor, member = tunnel(scene)
    scene.publish(window(NOON, NOON + 60, drain=3))
    visitor.says(b"still")
    assert member.gets() == b"still"
    scene.passes(3)
    scene.wall = NOON + 3
    scene.site.look(scene.wall)
    scene.passes(2 * TICK)
    assert visitor.is_aborted
    assert member.is_aborted
    assert scene.active == [0]


def test_stopping(stage: Stage) -> None:
    """A tunnel is in flight: it goes on while sorryd stops, and counts as a connection."""
    scene = stage(max_connections=1)
    visitor, member = tunnel(scene)
    assert scene.site.is_full
    scene.site.stop()
    visitor.says(b"still")
    assert member.gets() == b"still"
    assert len(scene.site.visitors) == 1
    visitor.resets()
    assert not scene.site.visitors


def test_trial(stage: Stage) -> None:
    """A tunnel to a member on trial does not stand in the way of its next trial."""
    scene = stage(members=2)
    scene.publish(a=Health.TRIAL)
    visitor, _ = tunnel(scene)
    scene.publish(a=Health.RESTING)
    scene.publish(a=Health.TRIAL)
    other = scene.visitor()
    other.says(request())
    scene.member("a").says(OK)
    assert other.gets() == passed(OK)
    visitor.resets()
