"""TLS on real sockets, both sides ours or one side played by hand."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest
from OpenSSL import SSL
from tests.edge.handshakes import NAME
from tests.edge.loops import Loop, Recorder, noise, tcp_pair
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost

from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.transport import HIGH

End = tuple[TlsTransport, Recorder]
Connect = Callable[..., tuple[End, End]]
pytestmark = pytest.mark.usefixtures("calls")

Contexts = tuple[SSL.Context, SSL.Context]


@pytest.fixture
def connect(loop: Loop, contexts: Contexts) -> Iterator[Connect]:
    """Makes a connection with a handshake behind it: the site's end, and the client's."""
    with contextlib.ExitStack() as stack:

        def end(sock: socket.socket, context: SSL.Context, accepts: bool, produces: bool) -> End:
            tls = SSL.Connection(context, sock)
            if accepts:
                tls.set_accept_state()
            else:
                tls.set_connect_state()
                tls.set_tlsext_host_name(NAME.encode())
            protocol = Recorder(produces=produces)
            transport = TlsTransport(sock, tls, protocol, loop.readiness)
            stack.callback(loop.rest)
            stack.callback(transport.abortConnection)
            transport.start()
            return transport, protocol

        def make(produces: bool = False, buffers: int | None = None) -> tuple[End, End]:
            accepted, client = tcp_pair(buffers)
            ours = end(accepted, contexts[0], True, produces)
            theirs = end(client, contexts[1], False, False)
            loop.until(lambda: "handshake" in ours[1].told and "handshake" in theirs[1].told)
            return ours, theirs

        yield make


# --- data -----------------------------------------------------------------------------------


def test_handshake(connect: Connect, loop: Loop) -> None:
    """Each side is told once that the handshake is done, before any data."""
    (ours, mine), (theirs, its) = connect()
    assert mine.told == its.told == ["made", "handshake"]
    ours.write(b"hello")
    theirs.write(b"world")
    loop.until(lambda: mine.data and its.data)
    assert (mine.data, its.data) == (b"world", b"hello")
    assert ours.failure == ""


@pytest.mark.parametrize("to_us", [True, False], ids=["in", "out"])
def test_partial_writes(connect: Connect, loop: Loop, to_us: bool) -> None:
    """Much data comes whole through small buffers, whatever the pieces."""
    (ours, mine), (theirs, its) = connect(buffers=8192)
    data = noise(2_000_000)
    sender, receiver = (theirs, mine) if to_us else (ours, its)
    sender.write(data[:1_000_000])
    for at in range(1_000_000, 2_000_000, 991):
        sender.write(data[at : at + min(991, 2_000_000 - at)])
    sender.loseConnection()
    loop.until(lambda: receiver.lost)
    assert receiver.data == data


def test_producer(connect: Connect, loop: Loop) -> None:
    """The producer is paused while much waits, and resumed when it was taken."""
    (ours, mine), (theirs, its) = connect(produces=True, buffers=8192)
    theirs.pauseProducing()
    data = noise(1_000_000)
    ours.write(data)
    assert mine.told == ["made", "handshake", "pause"]
    loop.rest()
    before = ours.sent
    theirs.resumeProducing()
    loop.until(lambda: len(its.data) == len(data))
    loop.until(lambda: mine.told[-1] == "resume")
    assert its.data == data
    assert ours.sent > before
    assert len(data) > HIGH


@pytest.mark.parametrize("size", [10, 1000, 16384, 100_000])
def test_pause_in_a_burst(connect: Connect, loop: Loop, size: int) -> None:
    """A protocol that pauses after each piece gets the next one after each resume, and no sooner.

    Records that OpenSSL has already read wake no poll.
    """
    (_, mine), (theirs, _) = connect()
    data = noise(size * 10)
    mine.when_data = mine_transport_pauses(mine)
    for at in range(0, len(data), size):
        theirs.write(data[at : at + size])
    while len(mine.data) < len(data):
        before = len(mine.pieces)
        loop.until(lambda: len(mine.pieces) > before)  # noqa: B023  # called at once
        loop.rest()
        assert len(mine.pieces) == before + 1
        mine.transport.resumeProducing()
    assert mine.data == data


def mine_transport_pauses(protocol: Recorder) -> Callable[[], None]:
    return lambda: protocol.transport.pauseProducing()


# --- ends -----------------------------------------------------------------------------------


def test_close(connect: Connect, loop: Loop) -> None:
    """Closing sends close_notify and FIN: the other side has lost nothing, and is told so."""
    (ours, mine), (_, its) = connect()
    ours.write(b"bye")
    ours.loseConnection()
    loop.until(lambda: mine.lost and its.lost)
    assert mine.lost is its.lost is ConnectionDone
    assert its.data == b"bye"
    assert its.told == ["made", "handshake", "fin", "lost"]


def test_close_behind_data(connect: Connect, loop: Loop) -> None:
    """Data, close_notify and FIN that come in one packet: the clean end is told before the loss.

    A body that ends with its connection is whole by that.
    """
    (ours, _), (theirs, its) = connect()
    theirs.pauseProducing()
    ours.write(b"until the end")
    ours.loseConnection()
    loop.rest()
    theirs.resumeProducing()
    loop.until(lambda: its.lost)
    assert its.data == b"until the end"
    assert its.told == ["made", "handshake", "fin", "lost"]
    assert its.lost is ConnectionDone


def test_half_close(connect: Connect, loop: Loop) -> None:
    """close_notify without FIN ends one direction: what is owed can still be written."""
    (ours, mine), (theirs, its) = connect()
    theirs.tls.shutdown()
    loop.until(lambda: mine.told[-1] == "fin")
    loop.rest()
    ours.write(b"answer")
    loop.until(lambda: its.data == b"answer")
    assert mine.lost is None
    ours.loseConnection()
    loop.until(lambda: mine.lost is ConnectionDone)


def test_fin_behind_close_notify(connect: Connect, loop: Loop) -> None:
    """FIN after close_notify: the peer has gone altogether."""
    (_, mine), (theirs, _) = connect()
    theirs.tls.shutdown()
    loop.until(lambda: mine.told[-1] == "fin")
    theirs._sock.shutdown(socket.SHUT_WR)
    loop.until(lambda: mine.lost is ConnectionLost)


def test_truncation(connect: Connect, loop: Loop) -> None:
    """FIN without close_notify is a connection lost: anybody can forge FIN (RFC 8446 §6.1)."""
    (_, mine), (theirs, _) = connect()
    theirs.write(b"half a")
    theirs._sock.shutdown(socket.SHUT_WR)
    loop.until(lambda: mine.lost)
    assert mine.data == b"half a"
    assert mine.lost is ConnectionLost
    assert "fin" not in mine.told


def test_half_close_of_ours(connect: Connect, loop: Loop) -> None:
    """After our half was closed, behind all that waits, the peer still talks."""
    (ours, mine), (theirs, its) = connect(buffers=8192)
    data = noise(500_000)
    ours.write(data)
    ours.loseWriteConnection()
    loop.until(lambda: len(its.data) == len(data))
    assert its.data == data
    loop.until(lambda: "fin" in its.told)
    theirs.write(b"still here")
    loop.until(lambda: mine.data == b"still here")
    theirs.loseConnection()
    loop.until(lambda: mine.told[-1] == "fin" or mine.lost)


def test_abort(connect: Connect, loop: Loop) -> None:
    """Aborting sends a reset, not close_notify."""
    (ours, mine), (_, its) = connect()
    ours.write(b"half a")
    ours.abortConnection()
    assert mine.lost is None
    loop.until(lambda: mine.lost and its.lost)
    assert mine.lost is ConnectionAborted
    assert its.lost is ConnectionLost
    assert "fin" not in its.told


def test_write_after_the_end(connect: Connect, loop: Loop) -> None:
    """A write to a peer that is gone is no error to its caller."""
    (ours, mine), (theirs, its) = connect()
    ours.pauseProducing()
    theirs.abortConnection()
    loop.until(lambda: its.lost)
    for _ in range(3):
        ours.write(b"x" * 100_000)
    assert mine.lost is None
    loop.until(lambda: mine.lost is ConnectionLost)
    ours.write(b"x")
    ours.loseConnection()
    loop.rest()


def test_early_answer(connect: Connect, loop: Loop) -> None:
    """What a peer said before it cut an upload is read before the connection is lost."""
    (ours, mine), (theirs, _) = connect(buffers=8192)
    theirs.pauseProducing()
    ours.write(noise(500_000))
    theirs.write(b"413 too large")
    theirs._sock.close()
    theirs._lost = True
    loop.until(lambda: mine.lost)
    assert mine.data == b"413 too large"
