"""Plain sockets that are poured into each other, over real connections."""

from __future__ import annotations

import socket

import pytest
from tests.edge.loops import Connect, Loop, Peer, Recorder, noise
from tests.edge.wires import FakeWire
from twisted.internet.error import ConnectionLost

from sorryd.edge import splicing
from sorryd.edge.plain_transport import PlainTransport
from sorryd.edge.transport import HIGH

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_DOMAIN"), reason="splice is Linux's")


def test_passes(connect: Connect, loop: Loop) -> None:
    """So many bytes go on as they are, and the protocol is told; the next ones are its own."""
    source, protocol, sender = connect()
    outlet, _, reader = connect()
    data = noise(3_000_000)
    source.pour(outlet, len(data) - 5)
    sender.sends(data)
    assert reader.gets(len(data) - 5) == data[:-5]
    loop.until(lambda: protocol.data == data[-5:])
    assert protocol.passed == len(data) - 5


def test_slow_reader(connect: Connect, loop: Loop) -> None:
    """What is not taken at once waits in order, and the producer is paused; so is what follows."""
    source, protocol, sender = connect()
    outlet, producer, reader = connect(produces=True, buffers=8192)
    data = noise(500_000)
    source.pauseProducing()
    source.pour(outlet, 1_000_000)
    sender.sends(data)
    source.resumeProducing()
    loop.until(lambda: "pause" in producer.told)
    source.pauseProducing()
    passed = protocol.passed
    assert passed > HIGH
    outlet.write(b"and more")
    assert reader.gets(passed + 8) == data[:passed] + b"and more"
    loop.until(lambda: producer.told[-1] == "resume")
    assert outlet.sent > 0
    source.resumeProducing()
    sender.sends(b"at last")
    loop.until(lambda: protocol.passed + len(protocol.data) == len(data) + 7)
    rest = reader.gets(protocol.passed - passed)
    assert rest + protocol.data == data[passed:] + b"at last"


def test_something_waits(connect: Connect, loop: Loop) -> None:
    """Nothing overtakes what waits: then it comes to the protocol, and the wish is over."""
    source, protocol, sender = connect()
    outlet, _, reader = connect(buffers=8192)
    outlet.write(noise(1_000_000))
    source.pour(outlet, 1000)
    sender.sends(b"x")
    loop.until(lambda: protocol.data == b"x")
    reader.gets(1_000_000)
    sender.sends(b"y")
    loop.until(lambda: protocol.data == b"xy")
    assert protocol.passed == 0


def test_paused(connect: Connect, loop: Loop) -> None:
    """Nothing passes while reading is paused."""
    source, protocol, sender = connect()
    outlet, _, reader = connect()
    source.pauseProducing()
    source.pour(outlet, 1000)
    sender.sends(b"x")
    loop.rest()
    assert protocol.passed == 0
    source.resumeProducing()
    assert reader.gets(1) == b"x"


def test_another_kind(connect: Connect, loop: Loop) -> None:
    """Into what is no plain socket nothing can be poured."""
    source, protocol, sender = connect()
    source.pour(FakeWire("visitor", lambda: None), 1000)
    sender.sends(b"x")
    loop.until(lambda: protocol.data == b"x")


def test_no_descriptor_left(connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a pipe all comes to the protocol."""
    source, protocol, sender = connect()
    outlet, _, _ = connect()
    monkeypatch.setattr("sorryd.edge.plain_transport._pipe", splicing.Pipe())

    def full(_: int) -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("os.pipe2", full)
    source.pour(outlet, 1000)
    sender.sends(b"x")
    loop.until(lambda: protocol.data == b"x")


def test_unix_sockets(loop: Loop, connect: Connect) -> None:
    """UNIX sockets are poured as well, or go the usual way: never wrongly."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    protocol = Recorder()
    source = PlainTransport(ours, protocol, loop.readiness)
    source.start()
    outlet, _, reader = connect()
    data = noise(100_000)
    source.pour(outlet, len(data))
    Peer(theirs, loop).sends(data)
    got = reader.gets(protocol.passed) if protocol.passed else b""
    loop.until(lambda: protocol.passed + len(protocol.data) == len(data))
    got += reader.gets(protocol.passed - len(got))
    assert got + protocol.data == data
    theirs.close()
    source.abortConnection()
    loop.rest()


# --- ends -----------------------------------------------------------------------------------


def test_fin(connect: Connect, loop: Loop) -> None:
    """The sender's FIN is told as ever, behind all that came before it."""
    source, protocol, sender = connect()
    outlet, _, reader = connect()
    source.pour(outlet, 1000)
    sender.sends(b"hello")
    sender.sock.shutdown(socket.SHUT_WR)
    loop.until(lambda: "fin" in protocol.told)
    assert protocol.passed == 5
    assert reader.gets(5) == b"hello"


def test_reset(connect: Connect, loop: Loop) -> None:
    """So is a reset, which is no FIN."""
    source, protocol, sender = connect()
    outlet, other, _ = connect()
    source.pour(outlet, 1000)
    sender.resets()
    loop.until(lambda: protocol.lost)
    assert protocol.lost is ConnectionLost
    assert "fin" not in protocol.told
    assert other.lost is None


def test_reader_resets(connect: Connect, loop: Loop) -> None:
    """Who reads resets: it is told, and nothing is left in the pipe for the next one."""
    source, protocol, sender = connect()
    outlet, other, reader = connect(buffers=8192)
    source.pauseProducing()
    source.pour(outlet, 10_000_000)
    sender.sends(noise(1_000_000))
    reader.resets()
    source.resumeProducing()
    loop.until(lambda: other.lost)
    assert protocol.lost is None
    fresh, _, sender = connect()
    outlet, _, reader = connect()
    fresh.pour(outlet, 1000)
    sender.sends(b"hello")
    assert reader.gets(5) == b"hello"


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
def test_outlet_closes(connect: Connect, loop: Loop, end: str) -> None:
    """Into what is closed nothing is poured: it comes to the protocol."""
    source, protocol, sender = connect()
    outlet, _, _ = connect()
    source.pour(outlet, 1000)
    getattr(outlet, end)()
    sender.sends(b"x")
    loop.until(lambda: protocol.data == b"x")
    assert protocol.passed == 0


def test_another_protocol(connect: Connect, loop: Loop) -> None:
    """A tunnel that takes over gets what comes."""
    source, _, sender = connect()
    outlet, _, _ = connect()
    source.pour(outlet, 1000)
    tunnel = Recorder()
    source.become(tunnel)
    sender.sends(b"x")
    loop.until(lambda: tunnel.data == b"x")


def test_bug_in_the_protocol(connect: Connect, loop: Loop) -> None:
    """A protocol that raises loses its connection, and the pipe is empty for the next one."""
    source, protocol, sender = connect()
    outlet, _, reader = connect()
    source.pour(outlet, 1000)
    del protocol.passed
    sender.sends(b"x")
    loop.until(lambda: protocol.lost)
    assert reader.gets(1) == b"x"
