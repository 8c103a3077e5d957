"""How long, how much and how many: what is counted beside answers, and what is so now."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace
from tests.edge.counts import codes, counted
from tests.edge.messages import GET, OK, chunked, post
from tests.edge.scene import Stage

from sorryd.numbers import BOUNDS, SiteNumbers


@pytest.mark.parametrize(
    ("took", "place"), [(0.0, 0), (0.25, 8), (0.375, 9), (1.0, 10), (90.0, 16)]
)
def test_durations(stage: Stage, took: float, place: int) -> None:
    """From the head to the end of the answer, in the bucket whose bound includes it."""
    scene = stage()
    _, member = scene.asks()
    scene.clock.advance(took)
    member.says(OK)
    answered = scene.site.numbers().members[0].answered
    assert [at for at, count in enumerate(answered.durations) if count] == [place]
    assert answered.seconds == took
    assert len(answered.durations) == len(BOUNDS) + 1


def test_bytes(stage: Stage) -> None:
    """All that the visitor sent and got, heads too."""
    scene = stage()
    asking = post(b"x" * 1000) + GET
    visitor, member = scene.asks(asking)
    member.says(b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", chunked(b"hello", b"world"))
    member.says(OK)
    got = len(visitor.gets())
    numbers = scene.site.numbers()
    assert counted(numbers) == 2
    assert numbers.received == len(asking)
    assert numbers.members[0].answered.sent == got


def test_gauges(stage: Stage) -> None:
    """Connections of visitors, requests in flight, kept connections, and who waits."""
    scene = stage()
    view = scene.site.view
    member_view = replace(
        view.members[0], member=replace(view.members[0].member, max_connections=1)
    )
    scene.site.apply(replace(view, members=(member_view,)))
    first, member = scene.asks()
    waiting = scene.visitor()
    waiting.says(GET)
    numbers = scene.site.numbers()
    assert (numbers.open, numbers.waiting, numbers.members[0].in_flight) == (2, 1, 1)
    assert numbers.members[0].idle == 0
    member.says(OK)
    member.says(OK)
    first.resets()
    numbers = scene.site.numbers()
    assert (numbers.open, numbers.waiting, numbers.members[0].in_flight) == (1, 0, 0)
    assert numbers.members[0].idle == 1


def test_handshakes(stage: Stage) -> None:
    """Of TLS: those that were completed, and connections that ended before."""
    scene = stage()
    visitors = [scene.visitor(tls=True) for _ in range(3)]
    visitors[0].shakes_hands()
    for visitor in visitors[:2]:
        visitor.resets()
    scene.visitor().resets()
    numbers = scene.site.numbers()
    assert (numbers.handshakes, numbers.broken_handshakes, numbers.open) == (1, 1, 1)


def test_members_of_a_new_configuration(stage: Stage) -> None:
    """A member that stays keeps its numbers, also where its connections are made anew."""
    scene = stage(members=2)
    _, member = scene.asks()
    member.says(OK)
    changed = replace(scene.site.view.members[0].member, path="/app")
    view = replace(scene.site.view.members[0], member=changed)
    site = replace(scene.site.view.site, members=(changed,))
    scene.site.apply(replace(scene.site.view, site=site, members=(view,)))
    assert codes(scene.site.numbers()) == {"a live 2xx": 1}


def test_encoded(stage: Stage) -> None:
    """What is told can pass a pipe."""
    scene = stage(members=2)
    scene.asks()[1].says(OK)
    numbers = scene.site.numbers()
    packed = msgspec.msgpack.encode(numbers)
    assert msgspec.msgpack.decode(packed, type=SiteNumbers) == numbers
