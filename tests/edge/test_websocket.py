"""WebSockets are closed so that both sides know why, where frames allow it."""

from __future__ import annotations

import pytest
from tests.edge.messages import asked, request
from tests.edge.scene import NOON, TIMES, Scene, Stage, window
from tests.edge.wires import FakeWire
from websockets.frames import Close
from websockets.protocol import CLIENT, SERVER, Protocol, Side

from sorryd.edge.tunnel import CLOSING
from sorryd.edge.websocket import REST
from sorryd.edge.wheel import TICK

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n" + UPGRADE + b"\r\n"
GOING = Close(1001, "maintenance")


class Peer:
    """One end: the library's protocol on a wire. What it has to say waits for `answers`."""

    def __init__(self, wire: FakeWire, side: Side) -> None:
        self.wire = wire
        self.protocol = Protocol(side)

    def said(self, text: bytes, fin: bool = True) -> bytes:
        """A frame, to be sent whole or in pieces."""
        self.protocol.send_text(text, fin)
        return b"".join(self.protocol.data_to_send())

    def hears(self) -> Close | None:
        """Read what came; the Close frame, where there was one."""
        data = self.wire.gets()
        if data:
            self.protocol.receive_data(data)
        assert self.protocol.parser_exc is None
        return self.protocol.close_rcvd

    def heard(self) -> list[bytes]:
        """The frames that came, but for Close."""
        self.hears()
        events = self.protocol.events_received()
        return [bytes(one.data) for one in events if one.opcode < 8]  # type: ignore[union-attr]  # frames all

    def answers(self) -> None:
        """Send what the protocol has to say by now: the answer to Close."""
        for data in self.protocol.data_to_send():
            if data:
                self.wire.says(data)


def talk(scene: Scene, switching: bytes = SWITCHING) -> tuple[Peer, Peer]:
    """A visitor and a member who have begun to speak WebSocket."""
    visitor = scene.visitor()
    visitor.says(request(fields=UPGRADE))
    member = scene.member()
    assert member.gets() == asked(request(), UPGRADE)
    member.says(switching)
    visitor.gets()
    return Peer(visitor, CLIENT), Peer(member, SERVER)


def end_drain(scene: Scene) -> None:
    scene.publish(window(NOON, NOON + 60))
    scene.passes(2 * TICK)


def is_over(scene: Scene, *peers: Peer) -> bool:
    scene.settle()
    return scene.active == [0] and all(peer.wire.is_gone for peer in peers)


def test_frames_pass(stage: Stage) -> None:
    """Frames pass as they came, both ways."""
    scene = stage()
    visitor, member = talk(scene)
    for size in (0, 5, 200, 70_000):
        visitor.wire.says_at_once(visitor.said(b"v" * size))
        member.wire.says_at_once(member.said(b"m" * size))
        assert member.heard() == [b"v" * size]
        assert visitor.heard() == [b"m" * size]
    visitor.wire.resets()


def test_end_of_drain(stage: Stage) -> None:
    """At the end of drain both sides get Close 1001, and FIN when both have answered."""
    scene = stage()
    visitor, member = talk(scene)
    end_drain(scene)
    assert visitor.hears() == GOING
    assert member.hears() == GOING
    visitor.answers()
    assert visitor.wire.is_open
    member.answers()
    assert is_over(scene, visitor, member)
    assert not visitor.wire.is_aborted
    assert not member.wire.is_aborted


@pytest.mark.parametrize("told", [GOING, Close(1001, REST.decode())])
def test_nobody_answers(stage: Stage, told: Close) -> None:
    """Who does not answer in time gets FIN all the same; who is at rest for long is told, too."""
    scene = stage()
    visitor, member = talk(scene)
    end_drain(scene) if told is GOING else scene.passes(TIMES.tunnel + 2 * TICK)
    assert (visitor.hears(), member.hears()) == (told, told)
    scene.passes(CLOSING - 1)
    assert visitor.wire.is_open
    scene.passes(1 + 2 * TICK)
    assert is_over(scene, visitor, member)
    assert not visitor.wire.is_aborted


def test_in_the_middle_of_a_frame(stage: Stage) -> None:
    """A frame that has begun is passed on to its end; Close stands behind it."""
    scene = stage()
    visitor, member = talk(scene)
    first, second = member.said(b"a" * 300), member.said(b"never")
    member.wire.says(first[:100])
    end_drain(scene)
    assert visitor.hears() is None
    assert member.hears() == GOING
    member.wire.says(first[100:] + second)
    assert visitor.heard() == [b"a" * 300]
    assert visitor.hears() == GOING
    visitor.answers()
    member.answers()
    assert is_over(scene, visitor, member)


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_in_the_middle_of_a_header(stage: Stage, cut: int) -> None:
    """So is one whose header alone has begun."""
    scene = stage()
    visitor, member = talk(scene)
    frame = visitor.said(b"a" * 300)
    visitor.wire.says(frame[:cut])
    end_drain(scene)
    assert visitor.hears() == GOING
    assert member.hears() is None
    visitor.wire.says(frame[cut:])
    assert member.heard() == [b"a" * 300]
    assert member.hears() == GOING
    visitor.answers()
    member.answers()
    assert is_over(scene, visitor, member)


def test_frame_that_never_ends(stage: Stage) -> None:
    """Where no boundary comes in time, the connection is closed without a word."""
    scene = stage()
    visitor, member = talk(scene)
    member.wire.says(member.said(b"a" * 300)[:100])
    end_drain(scene)
    scene.passes(CLOSING + 2 * TICK)
    assert visitor.hears() is None
    assert is_over(scene, visitor, member)


def test_message_in_parts(stage: Stage) -> None:
    """A message of several frames is passed on to its end, too."""
    scene = stage()
    visitor, member = talk(scene)
    member.wire.says(member.said(b"first", fin=False))
    end_drain(scene)
    assert visitor.hears() is None
    member.protocol.send_continuation(b"more", False)
    member.protocol.send_continuation(b"last", True)
    member.protocol.send_text(b"never")
    member.answers()
    assert visitor.heard() == [b"first", b"more", b"last"]
    assert visitor.hears() == GOING
    visitor.answers()
    assert member.hears() == GOING
    member.answers()
    assert is_over(scene, visitor, member)


def test_closing_already(stage: Stage) -> None:
    """Who was told goodbye by the other side is not told twice."""
    scene = stage()
    visitor, member = talk(scene)
    member.protocol.send_close(1000, "done")
    member.answers()
    end_drain(scene)
    assert visitor.hears() == Close(1000, "done")
    assert member.hears() == GOING
    visitor.answers()
    assert is_over(scene, visitor, member)


@pytest.mark.parametrize("first", ["visitor", "member"])
def test_fin_already(stage: Stage, first: str) -> None:
    """Who has had a FIN is told nothing behind it."""
    scene = stage()
    visitor, member = talk(scene)
    one, other = (visitor, member) if first == "visitor" else (member, visitor)
    one.wire.ends()
    end_drain(scene)
    assert one.hears() == GOING
    assert other.hears() is None
    other.wire.ends()
    assert is_over(scene, visitor, member)


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("first", ["visitor", "member"])
def test_leaves_meanwhile(stage: Stage, first: str, how: str) -> None:
    """Who leaves instead of an answer has answered."""
    scene = stage()
    visitor, member = talk(scene)
    one, other = (visitor, member) if first == "visitor" else (member, visitor)
    end_drain(scene)
    one.hears()
    assert other.hears() == GOING
    one.wire.leaves(how)
    other.answers()
    assert is_over(scene, visitor, member)


def test_fin_in_a_frame(stage: Stage) -> None:
    """A side that ends in the middle of a frame leaves nothing to wait for."""
    scene = stage()
    visitor, member = talk(scene)
    member.wire.says(member.said(b"a" * 300)[:100])
    end_drain(scene)
    member.wire.ends()
    assert is_over(scene, visitor, member)


def test_no_frames(stage: Stage) -> None:
    """Where what passes is nothing that RFC 6455 knows, the connection is cut as ever."""
    scene = stage()
    visitor, member = talk(scene)
    member.wire.says(b"\xff\xff hello, who are you?")
    end_drain(scene)
    assert visitor.wire.is_aborted
    assert is_over(scene, visitor, member)


def test_not_a_websocket(stage: Stage) -> None:
    """Without Sec-WebSocket-Accept it is a tunnel like any other."""
    scene = stage()
    visitor, member = talk(scene, SWITCHING.replace(b"Sec-WebSocket-Accept: x\r\n", b""))
    end_drain(scene)
    assert visitor.wire.is_aborted
    assert is_over(scene, visitor, member)


def test_visitor_who_does_not_read(stage: Stage) -> None:
    """Nobody waits for ever: a visitor who takes nothing is reset in the end."""
    scene = stage()
    visitor, member = talk(scene)
    visitor.wire.stops_reading()
    member.wire.says_at_once(member.said(bytes(100_000)))
    assert not member.wire.is_reading
    end_drain(scene)
    assert member.hears() == GOING
    member.answers()
    for _ in range(2):
        scene.passes(CLOSING + 2 * TICK)
    assert visitor.wire.is_aborted
    assert is_over(scene, visitor, member)


def test_stopping(stage: Stage) -> None:
    """When sorryd stops, the reason is not the site's."""
    scene = stage()
    visitor, member = talk(scene)
    scene.site.stop()
    (guest,) = scene.site.visitors
    assert guest.expire()
    assert not guest.expire()
    assert visitor.hears() == Close(1001, "")
    assert member.hears() == Close(1001, "")
    visitor.answers()
    member.answers()
    assert is_over(scene, visitor, member)


def test_rest(stage: Stage) -> None:
    """What passes while we part keeps nothing open; what passes before does."""
    scene = stage()
    visitor, member = talk(scene)
    scene.passes(TIMES.tunnel - 1)
    visitor.wire.says(visitor.said(b"ping"))
    scene.passes(TIMES.tunnel - 1)
    end_drain(scene)
    for _ in range(round(CLOSING)):
        member.wire.says(member.said(b"still"))
        scene.passes(1.0)
    scene.passes(2 * TICK)
    assert is_over(scene, visitor, member)
