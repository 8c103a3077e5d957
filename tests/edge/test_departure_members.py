"""How an edge leaves what is in flight at members: requests, streams and WebSockets."""

from __future__ import annotations

import socket
from functools import partial

import pytest
from tests.edge.leaving import arrives, goes, opened
from tests.edge.loops import PATIENCE
from tests.edge.town import Town

from sorryd.edge.departure import GRACE
from sorryd.edge.frames import GOING_AWAY, close_frame
from sorryd.edge.listener import Bound
from sorryd.edge.speaking import SILENCE
from sorryd.edge.tunnel import CLOSING
from sorryd.model import Member

PING = b"\x89\x80mask"


UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def behind_it(town: Town, server: socket.socket) -> Bound:
    """A town whose visitors may pass to a member, which the server is, and where it listens."""
    server.setblocking(True)
    port = server.getsockname()[1]
    member = Member(url=f"http://127.0.0.1:{port}", host="127.0.0.1", port=port)
    return opened(town, members=(member,), bypass_networks=("127.0.0.0/8",))


@pytest.mark.parametrize("how", ["retire", "stop"])
def test_requests_that_came_at_once(town: Town, server: socket.socket, how: str) -> None:
    """All that came in one go are answered (RFC 9112 §9.3.2), and the last of them is told."""
    bound = behind_it(town, server)

    def several() -> list[bool]:
        """Of each answer, whether it says that it is the last one."""
        wire.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        behind, _ = server.accept()
        behind.settimeout(PATIENCE)
        for _ in range(3):
            behind.recv(65536)
            behind.sendall(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")
        data = b"".join(iter(partial(wire.recv, 65536), b""))
        behind.close()
        return [b"connection: close" in one.lower() for one in data.split(b"HTTP/1.1 200")[1:]]

    with town.visitor(bound) as wire:
        arrives(town)
        over = goes(town, how)
        assert town.meanwhile(several) == [False, False, True]
        town.passes(0.25)
        town.loop.until(lambda: over)


def test_streams_of_those_who_have_gone(town: Town, server: socket.socket) -> None:
    """A stream at rest, of a visitor who has sent FIN, is waited for a while, not to the limit."""
    bound = behind_it(town, server)

    def begin() -> tuple[bytes, socket.socket]:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        behind, _ = server.accept()
        behind.settimeout(PATIENCE)
        behind.recv(65536)
        behind.sendall(b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        return wire.recv(65536), behind

    with town.visitor(bound) as wire:
        begun, behind = town.meanwhile(begin)
        assert begun.startswith(b"HTTP/1.1 200")
        wire.shutdown(socket.SHUT_WR)
        town.loop.rest()
        over = goes(town, "stop", 30.0)
        town.passes(GRACE + SILENCE - 1.0)
        behind.sendall(b"1\r\nb\r\n")
        assert town.meanwhile(lambda: wire.recv(99)) == b"1\r\nb\r\n"
        town.passes(SILENCE - 1.25)
        assert not over
        town.passes(2.5)
        town.loop.until(lambda: over)
        behind.close()


@pytest.mark.parametrize("how", ["retire", "stop"])
@pytest.mark.parametrize("answers", [True, False])
def test_goodbyes(town: Town, server: socket.socket, answers: bool, how: str) -> None:
    """At the limit both ends of a WebSocket are told, and have a while to answer."""
    bound = behind_it(town, server)

    def shake_hands() -> tuple[bytes, socket.socket]:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + UPGRADE)
        behind, _ = server.accept()
        behind.settimeout(PATIENCE)
        behind.recv(65536)
        behind.sendall(b"HTTP/1.1 101 \r\nSec-WebSocket-Accept: x\r\n" + UPGRADE)
        return wire.recv(65536), behind

    with town.visitor(bound) as wire:
        switched, behind = town.meanwhile(shake_hands)
        assert switched.startswith(b"HTTP/1.1 101 ")
        over = goes(town, how, 2.0)
        town.passes(1.75)
        wire.sendall(PING)
        assert town.meanwhile(lambda: behind.recv(99)) == PING
        town.passes(0.5)
        assert town.meanwhile(lambda: wire.recv(99)) == close_frame(False, GOING_AWAY)
        assert town.meanwhile(lambda: len(behind.recv(99))) == len(close_frame(True, GOING_AWAY))
        assert not over
        if answers:
            wire.sendall(close_frame(True, GOING_AWAY))
            behind.sendall(close_frame(False, GOING_AWAY))
            assert town.meanwhile(lambda: wire.recv(1)) == b""
            town.passes(0.25)
        else:
            town.passes(CLOSING - 0.5)
            assert not over
            town.passes(0.75)
        town.loop.until(lambda: over)
        behind.close()
