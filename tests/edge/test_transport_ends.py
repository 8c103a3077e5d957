"""How connections over plain sockets end, by either side."""

from __future__ import annotations

import gc
import socket
import weakref
from functools import partial

import pytest
from tests.edge.loops import Connect, Loop, Peer, Recorder, noise, tcp_pair
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost

from sorryd.edge.readiness import EpollReadiness
from sorryd.edge.transport import SocketTransport


def test_fin(connect: Connect, loop: Loop) -> None:
    """FIN ends one direction: what is owed can still be written."""
    transport, protocol, peer = connect()
    peer.sends(b"ask")
    peer.sock.shutdown(socket.SHUT_WR)
    loop.until(lambda: protocol.told[-1] == "fin")
    assert protocol.data == b"ask"
    loop.rest()
    assert protocol.told == ["made", "fin"]
    transport.write(b"answer")
    transport.loseConnection()
    assert peer.gets(6) == b"answer"
    assert peer.finds_fin()
    loop.until(lambda: protocol.lost)
    assert protocol.lost is ConnectionDone
    assert protocol.told == ["made", "fin", "lost"]


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection", "peer"])
def test_nothing_is_left(connect: Connect, loop: Loop, end: str) -> None:
    """An ended connection is gone with the last who knows it, not when the collector comes."""
    transport, protocol, peer = connect()
    left = weakref.ref(protocol)
    if end == "peer":
        peer.resets()
    else:
        getattr(transport, end)()
    loop.until(partial(getattr, protocol, "lost"))
    gc.disable()
    try:
        del protocol
        assert left() is None
    finally:
        gc.enable()


def test_half_close(connect: Connect, loop: Loop) -> None:
    """After our FIN, behind all that waits, the peer may still talk."""
    transport, protocol, peer = connect(buffers=8192)
    data = noise(500_000)
    transport.write(data)
    transport.loseWriteConnection()
    transport.loseWriteConnection()
    assert peer.gets(len(data)) == data
    assert peer.finds_fin()
    peer.sends(b"more")
    loop.until(lambda: protocol.data == b"more")
    assert protocol.lost is None
    peer.sock.close()
    loop.until(lambda: protocol.told[-1] == "fin")
    transport.loseConnection()
    loop.until(lambda: protocol.lost is ConnectionDone)


def test_half_close_at_once(connect: Connect, loop: Loop) -> None:
    """With nothing waiting, FIN goes out at once; a write after it goes nowhere."""
    transport, protocol, peer = connect()
    transport.loseWriteConnection()
    transport.write(b"too late")
    assert peer.finds_fin()
    loop.rest()
    peer.sends(b"still here")
    loop.until(lambda: protocol.data == b"still here")
    assert protocol.lost is None


def test_close_with_bytes_waiting(connect: Connect, loop: Loop) -> None:
    """Closing sends what waits first, and comes back when that is done."""
    transport, protocol, peer = connect(buffers=8192)
    data = noise(500_000)
    transport.write(data)
    transport.loseConnection()
    transport.write(b"too late")
    loop.rest()
    assert protocol.lost is None
    assert peer.gets(len(data)) == data
    assert peer.finds_fin()
    loop.until(lambda: protocol.lost is ConnectionDone)


@pytest.mark.parametrize("waiting", [0, 500_000])
def test_abort(connect: Connect, loop: Loop, waiting: int) -> None:
    """Aborting resets the connection, whatever waits, and comes back later, once."""
    transport, protocol, peer = connect(buffers=8192)
    transport.write(noise(waiting))
    transport.abortConnection()
    transport.abortConnection()
    transport.loseConnection()
    assert protocol.lost is None
    loop.until(lambda: protocol.lost)
    assert protocol.lost is ConnectionAborted
    assert not peer.finds_fin()


def test_abort_while_closing(connect: Connect, loop: Loop) -> None:
    """A connection that waits to be closed can still be aborted."""
    transport, protocol, peer = connect(buffers=8192)
    transport.write(noise(500_000))
    transport.loseConnection()
    transport.abortConnection()
    loop.until(lambda: protocol.lost is ConnectionAborted)
    assert not peer.finds_fin()


@pytest.mark.parametrize("waiting", [0, 500_000])
def test_reset(connect: Connect, loop: Loop, waiting: int) -> None:
    """A reset by the peer is a connection lost; what is written then goes nowhere."""
    transport, protocol, peer = connect(produces=True, buffers=8192)
    transport.write(noise(waiting))
    peer.resets()
    loop.until(lambda: protocol.lost)
    assert protocol.lost is ConnectionLost
    transport.write(b"x")
    transport.loseWriteConnection()
    transport.loseConnection()
    transport.abortConnection()
    transport.resumeProducing()
    loop.rest()
    assert protocol.told[-1] == "lost"


def test_write_that_fails(connect: Connect, loop: Loop) -> None:
    """A write that fails is no error to its caller; the connection is lost in a later turn."""
    transport, protocol, peer = connect()
    transport.pauseProducing()
    peer.resets()
    for _ in range(3):
        transport.write(b"x")
    assert protocol.lost is None
    loop.until(lambda: protocol.lost is ConnectionLost)


@pytest.mark.parametrize("paused", [False, True], ids=["reading", "paused"])
def test_early_answer(connect: Connect, loop: Loop, paused: bool) -> None:
    """What a peer said before it cut an upload is read before the connection is lost."""
    transport, protocol, peer = connect(buffers=8192)
    if paused:
        transport.pauseProducing()
    transport.write(noise(500_000))
    peer.sends(b"413 too large")
    peer.sock.close()  # with bytes unread: the kernel sends a reset
    loop.until(lambda: protocol.lost)
    assert protocol.data == b"413 too large"
    assert protocol.lost is ConnectionLost


def test_close_with_bytes_unread(connect: Connect, loop: Loop) -> None:
    """What came and was not read does not turn the close into a reset, which destroys answers."""
    transport, protocol, peer = connect()
    transport.pauseProducing()
    peer.sends(noise(10_000))
    transport.write(b"answer")
    transport.loseConnection()
    loop.until(lambda: protocol.lost is ConnectionDone)
    assert peer.gets(6) == b"answer"
    assert peer.finds_fin()
    assert protocol.data == b""


def test_nothing_is_read_while_closing(connect: Connect, loop: Loop) -> None:
    """What comes after the close does not reach the protocol."""
    transport, protocol, peer = connect(buffers=8192)
    transport.write(noise(500_000))
    transport.loseConnection()
    peer.sends(b"ignored")
    loop.rest()
    assert protocol.data == b""
    assert protocol.lost is None


def test_close_while_starting(loop: Loop) -> None:
    """A protocol may close its connection as soon as it has one."""
    ours, theirs = tcp_pair()

    class Shy(Recorder):
        def makeConnection(self, transport: object) -> None:
            super().makeConnection(transport)  # type: ignore[arg-type]  # it is one
            self.transport.loseConnection()

    protocol = Shy()
    SocketTransport(ours, protocol, loop.readiness).start()
    loop.until(lambda: protocol.lost is ConnectionDone)
    assert Peer(theirs, loop).finds_fin()
    theirs.close()


def test_become_while_full(connect: Connect, loop: Loop) -> None:
    """Who takes over a transport that is full is paused from the start, and resumed."""
    transport, first, peer = connect(produces=True, buffers=8192)
    data = noise(500_000)
    transport.write(data)
    second = Recorder()
    transport.become(second)
    assert second.told == ["pause"]
    assert peer.gets(len(data)) == data
    assert second.told == ["pause", "resume"]
    assert first.told == ["made", "pause"]


def test_reset_after_fin(connect: Connect, loop: Loop) -> None:
    """A peer that sent FIN and is still owed an answer is gone with its reset."""
    if not isinstance(loop.readiness, EpollReadiness):
        pytest.skip("only epoll tells")
    _, protocol, peer = connect()
    peer.sock.shutdown(socket.SHUT_WR)
    loop.until(lambda: "fin" in protocol.told)
    loop.rest()
    assert protocol.lost is None
    peer.resets()
    loop.until(lambda: protocol.lost is ConnectionLost)


def test_become(connect: Connect, loop: Loop) -> None:
    """Another protocol takes over all that comes from then on, as the producer too."""
    transport, first, peer = connect(produces=True, buffers=8192)
    second = Recorder()
    transport.become(second)
    peer.sends(b"hello")
    loop.until(lambda: second.data == b"hello")
    transport.write(noise(500_000))
    peer.resets()
    loop.until(lambda: second.lost is ConnectionLost)
    assert second.told == ["pause", "lost"]
    assert first.told == ["made"]
