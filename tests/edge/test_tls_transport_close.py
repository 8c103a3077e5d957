"""close_notify goes out in whatever state the kernel is, and the peer's is told from a cut."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest
from OpenSSL import SSL
from tests.edge.handshakes import NAME
from tests.edge.loops import Loop, Recorder, noise, tcp_pair
from twisted.internet.error import ConnectionDone, ConnectionLost

from sorryd.edge.tls_transport import TlsTransport

SO_MEMINFO = 55  # of Linux, which Python has no name for: struct sk_meminfo's words
_SNDBUF, _WMEM_QUEUED = 3, 5

pytestmark = pytest.mark.usefixtures("calls")

Contexts = tuple[SSL.Context, SSL.Context]


class Line:
    """A site's end and a client's, with small buffers between them."""

    def __init__(self, loop: Loop, contexts: Contexts) -> None:
        self.loop = loop
        self._ours, theirs = tcp_pair(8192)
        self.mine, self.its = Recorder(), Recorder()
        self.ours = self._end(self._ours, contexts[0], self.mine, accepts=True)
        self.theirs = self._end(theirs, contexts[1], self.its, accepts=False)
        self.ours.start()
        self.theirs.start()
        loop.until(lambda: "handshake" in self.mine.told and "handshake" in self.its.told)

    def _end(
        self, sock: socket.socket, context: SSL.Context, protocol: Recorder, *, accepts: bool
    ) -> TlsTransport:
        tls = SSL.Connection(context, sock)
        if accepts:
            tls.set_accept_state()
        else:
            tls.set_connect_state()
            tls.set_tlsext_host_name(NAME.encode())
        return TlsTransport(sock, tls, protocol, self.loop.readiness)

    def fills_the_kernel(self) -> bytes:
        """Write until the kernel takes no byte more, and has taken all; what was written."""
        self.theirs.pauseProducing()
        data = b""
        while not self._is_full():
            data += noise(1000)
            self.ours.write(noise(1000))
        assert not self.ours._queue
        return data

    def _is_full(self) -> bool:
        words = struct.unpack("9I", self._ours.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))
        return bool(words[_WMEM_QUEUED] >= words[_SNDBUF])

    def ends(self) -> None:
        for transport in (self.ours, self.theirs):
            transport.abortConnection()
        self.loop.rest()


@pytest.fixture
def line(loop: Loop, contexts: Contexts) -> Iterator[Line]:
    line = Line(loop, contexts)
    try:
        line._is_full()
    except OSError:
        line.ends()
        pytest.skip("the kernel does not say what its buffers hold")
    yield line
    line.ends()


def test_close_with_a_full_kernel(line: Line) -> None:
    """close_notify that the kernel can't take waits for it: else the answer would seem cut."""
    data = line.fills_the_kernel()
    line.ours.loseConnection()
    line.loop.rest()
    assert line.mine.lost is None
    line.theirs.resumeProducing()
    line.loop.until(lambda: line.its.lost)
    assert line.its.data == data
    assert line.its.told[-2:] == ["fin", "lost"]
    line.loop.until(lambda: line.mine.lost is ConnectionDone)


def test_half_close_with_a_full_kernel(line: Line) -> None:
    """... and the peer may go on after it."""
    data = line.fills_the_kernel()
    line.ours.loseWriteConnection()
    line.loop.rest()
    line.theirs.resumeProducing()
    line.loop.until(lambda: line.its.told[-1] == "fin")
    assert line.its.data == data
    line.theirs.write(b"still here")
    line.loop.until(lambda: line.mine.data == b"still here")
    assert line.mine.lost is None
    line.ours.loseConnection()
    line.loop.until(lambda: line.mine.lost)


def test_peer_gone_before_close_notify(line: Line) -> None:
    """A peer that resets while close_notify waits is no error."""
    line.fills_the_kernel()
    line.ours.loseConnection()
    line.loop.rest()
    line.theirs.abortConnection()
    line.loop.until(lambda: line.mine.lost)


def test_abort_before_close_notify(line: Line) -> None:
    """Who reads nothing for too long is cut, and has not seen the end."""
    line.fills_the_kernel()
    line.ours.loseConnection()
    line.loop.rest()
    line.ours.abortConnection()
    line.loop.until(lambda: line.mine.lost)
    line.theirs.resumeProducing()
    line.loop.until(lambda: line.its.lost is ConnectionLost)
    assert "fin" not in line.its.told
