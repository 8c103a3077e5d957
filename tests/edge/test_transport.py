"""Plain sockets as transports, over real connections."""

from __future__ import annotations

import contextlib

import pytest
from tests.edge.loops import Connect, Loop, noise
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted
from twisted.logger import capturedLogs

from sorryd.edge.addresses import Address, address_of
from sorryd.edge.transport import HIGH, LOW, READ, READ_BULK

# --- writing --------------------------------------------------------------------------------


def test_write_at_once(connect: Connect, loop: Loop) -> None:
    """What the kernel takes goes out with the call, and nothing is watched for it."""
    transport, _, peer = connect()
    transport.write(b"hello")
    transport.writeSequence([b", ", b"world"])
    assert peer.sock.recv(100) == b"hello, world"
    assert transport.sent == 0


def test_partial_writes(connect: Connect, loop: Loop) -> None:
    """What the kernel does not take follows in order, whatever the pieces."""
    transport, _, peer = connect(buffers=8192)
    data = noise(3_000_000)
    pieces = [data[:1_000_000], *(data[at : at + 997] for at in range(1_000_000, 3_000_000, 997))]
    for piece in pieces:
        transport.write(piece)
    assert peer.gets(len(data)) == data
    assert 0 < transport.sent < len(data)


@pytest.mark.parametrize("count", [2, 100])
def test_pieces(connect: Connect, loop: Loop, count: int) -> None:
    """Long pieces at once come in order, though the kernel takes a part, or waits already."""
    transport, _, peer = connect(buffers=8192)
    data = noise(2_000_000)
    each = 1_000_000 // count
    for first in (0, 1_000_000):
        pieces = [data[at : at + each] for at in range(first, first + 1_000_000, each)]
        transport.writeSequence(pieces)
    assert peer.gets(len(data)) == data


@pytest.mark.parametrize("size", [10, 100_000])
def test_pieces_for_nobody(connect: Connect, loop: Loop, size: int) -> None:
    """Who has gone gets nothing, and that is told as for any write."""
    transport, protocol, peer = connect()
    peer.resets()
    transport.writeSequence([b"a" * size, b"b" * size])
    transport.writeSequence([b"a" * size, b"b" * size])
    loop.until(lambda: protocol.lost)
    transport.writeSequence([b"a" * size, b"b" * size])


def test_what_waits_is_ones_own(connect: Connect, loop: Loop) -> None:
    """What waits at one connection keeps no other from writing at once, then or later."""
    slow, _, reader = connect(buffers=8192)
    data = noise(1_000_000)
    for _ in range(2):
        slow.write(data)
        other, _, peer = connect()
        other.write(b"hello")
        assert peer.sock.recv(100) == b"hello"
        assert reader.gets(len(data)) == data
    slow.write(b"x")
    assert reader.gets(1) == b"x"


def test_progress_is_counted(connect: Connect, loop: Loop) -> None:
    """`sent` grows while a slow reader takes what waits, and only then."""
    transport, _, peer = connect(buffers=8192)
    transport.write(noise(1_000_000))
    loop.rest()
    before = transport.sent
    loop.rest()
    assert transport.sent == before
    peer.gets(200_000)
    loop.until(lambda: transport.sent > before)


def test_producer(connect: Connect, loop: Loop) -> None:
    """The producer is paused once while much waits, and resumed once when little does."""
    transport, protocol, peer = connect(produces=True, buffers=8192)
    data = noise(1_000_000)
    transport.write(data)
    transport.write(data)
    assert protocol.told == ["made", "pause"]
    peer.gets(2 * len(data) - HIGH)
    assert protocol.told == ["made", "pause"]
    peer.gets(HIGH)
    loop.until(lambda: protocol.told == ["made", "pause", "resume"])
    transport.write(b"x")
    assert peer.gets(1) == b"x"
    assert protocol.told == ["made", "pause", "resume"]


def test_little_waits(connect: Connect, loop: Loop) -> None:
    """Below the mark the producer is left alone."""
    transport, protocol, peer = connect(produces=True, buffers=8192)
    taken = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            taken += transport._sock.send(bytes(4096))
    transport.write(bytes(LOW))
    assert protocol.told == ["made"]
    peer.gets(taken + LOW)


def test_one_producer(connect: Connect) -> None:
    """A second producer, or one that is asked for each piece, is a bug."""
    transport, protocol, _ = connect(produces=True)
    with pytest.raises(RuntimeError):
        transport.registerProducer(protocol, True)
    transport.unregisterProducer()
    with pytest.raises(RuntimeError):
        transport.registerProducer(protocol, False)


# --- reading --------------------------------------------------------------------------------


def test_pause_and_resume(connect: Connect, loop: Loop) -> None:
    """Nothing is read while reading is paused, and nothing is lost by it."""
    transport, protocol, peer = connect()
    transport.pauseProducing()
    transport.pauseProducing()
    peer.sends(b"hello")
    loop.rest()
    assert protocol.data == b""
    transport.resumeProducing()
    transport.resumeProducing()
    loop.until(lambda: protocol.data == b"hello")


def test_large_reads(connect: Connect, loop: Loop) -> None:
    """Much is read in large pieces, but no larger than one turn should take."""
    transport, protocol, peer = connect()
    transport.pauseProducing()
    data = noise(1_000_000)
    peer.sends(data)
    transport.resumeProducing()
    loop.until(lambda: len(protocol.data) == len(data))
    assert protocol.data == data
    assert protocol.pieces[0] <= READ
    assert READ < max(protocol.pieces) <= READ_BULK


def test_bug_in_the_protocol(connect: Connect, loop: Loop) -> None:
    """A protocol that raises loses its connection, not its neighbours theirs."""
    _, protocol, peer = connect()
    _, neighbour, friend = connect()

    def bug() -> None:
        raise ZeroDivisionError

    protocol.when_data = bug
    with capturedLogs() as logs:
        peer.sends(b"x")
        friend.sends(b"x")
        loop.until(lambda: protocol.lost and neighbour.data)
    assert protocol.lost is ConnectionAborted
    assert neighbour.lost is None
    assert len(logs) == 1


# --- addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (("192.0.2.1", 80), IPv4Address("TCP", "192.0.2.1", 80)),
        (("::1", 80, 0, 0), IPv6Address("TCP", "::1", 80)),
        (("fe80::1%eth0", 80, 0, 2), IPv6Address("TCP", "fe80::1", 80)),
        (("::ffff:192.0.2.1", 80, 0, 0), IPv4Address("TCP", "192.0.2.1", 80)),
    ],
)
def test_address_of(name: tuple[str, int] | tuple[str, int, int, int], address: Address) -> None:
    """Socket names are told as Twisted's addresses."""
    assert address_of(name) == address


def test_addresses(connect: Connect) -> None:
    """A transport knows both its ends."""
    transport, _, peer = connect()
    assert transport.getPeer() == address_of(peer.sock.getsockname())
    assert transport.getHost() == address_of(peer.sock.getpeername())
