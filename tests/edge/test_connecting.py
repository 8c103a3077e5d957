"""From a member's name to a connection, over real sockets."""

from __future__ import annotations

import contextlib
import socket

import pytest
from tests.edge.dialling import World, accepted
from tests.edge.messages import request
from tests.edge.scene import TIMES
from twisted.logger import capturedLogs

from sorryd.edge import descriptors
from sorryd.edge.members import FRESH
from sorryd.edge.wheel import TICK


def test_address(world: World, server: socket.socket) -> None:
    """A member given by its address is connected to without asking for its name."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1])
    connection = world.succeeds(outcome)
    peer = accepted(world.loop, server)
    connection.transport.write(request())
    assert peer.gets(len(request())) == request()
    assert connection.seems_open()
    assert not connection.reused
    assert not world.names.asked
    connection.abandon()
    peer.sock.close()


def test_seems_open(world: World, server: socket.socket) -> None:
    """A look at the socket finds an end, or data, before they were read."""
    for sends in (b"", b"x"):
        outcome, _ = world.connect("127.0.0.1", server.getsockname()[1])
        connection = world.succeeds(outcome)
        peer = accepted(world.loop, server)
        connection.transport.pauseProducing()
        assert connection.seems_open()
        if sends:
            peer.sends(sends)
        peer.sock.close()
        assert not connection.seems_open()
        connection.abandon()
        world.loop.rest()
        assert not connection.seems_open()


def test_refused(world: World, free_port: int) -> None:
    """A port at which nobody listens is told as that."""
    outcome, _ = world.connect("127.0.0.1", free_port)
    assert world.fails(outcome) == "connection refused"


def test_refused_at_once(world: World) -> None:
    """An address that the kernel refuses at once is told in a later turn, too."""
    outcome, _ = world.connect("255.255.255.255", 80)
    assert world.fails(outcome) in ("permission denied", "network is unreachable")


def test_no_descriptor_left(
    world: World, server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few descriptors to connect are told as nobody's fault, and logged once in a while."""
    with monkeypatch.context() as patched, capturedLogs() as logs:
        patched.setattr(descriptors, "_limit", lambda: 0)
        for _ in range(3):
            outcome, _ = world.connect("127.0.0.1", server.getsockname()[1])
            world.loop.rest()
            assert (outcome.connection, outcome.why) == (None, "")
        assert len(logs) == 1
        world.passes(61)
        world.connect("127.0.0.1", server.getsockname()[1])
        world.loop.rest()
        assert len(logs) == 2
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1])
    world.succeeds(outcome).abandon()


def test_name(world: World, server: socket.socket, free_port: int) -> None:
    """The addresses of a name are tried one after the other."""
    port = server.getsockname()[1]
    outcome, _ = world.connect("app.internal", port)
    world.loop.rest()
    assert world.names.asked[0][0] == "app.internal"
    world.names.answers("127.0.0.2", "127.0.0.3", "127.0.0.1")
    connection = world.succeeds(outcome)
    peer = accepted(world.loop, server)
    connection.abandon()
    peer.sock.close()


def test_all_addresses_fail(world: World, free_port: int) -> None:
    """When all addresses of a name have failed, the last reason is told."""
    outcome, _ = world.connect("app.internal", free_port)
    world.loop.rest()
    world.names.answers("127.0.0.2", "127.0.0.1")
    assert world.fails(outcome) == "connection refused"


def test_unknown_name(world: World) -> None:
    """A name without an address is told as that."""
    outcome, _ = world.connect("app.internal", 80)
    world.loop.rest()
    world.names.answers()
    assert world.fails(outcome) == "the name app.internal: it has no address"


def test_slow_name(world: World) -> None:
    """`timeout_connect` holds for the name, too; an answer after it comes too late."""
    outcome, _ = world.connect("app.internal", 80)
    world.loop.rest()
    world.passes(TIMES.connect)
    assert not outcome.is_known
    world.passes(2 * TICK)
    assert world.fails(outcome) == "no connection within 5 s"
    world.names.answers("127.0.0.1")


@pytest.mark.parametrize("cancelled", [False, True], ids=["time-out", "cancelled"])
def test_slow_connection(world: World, cancelled: bool) -> None:
    """A member that does not answer the connection is given up after `timeout_connect`."""
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        outcome, cancel = world.connect("127.0.0.1", full.getsockname()[1])
        world.loop.rest()
        for writer in world.loop.watching_writers():
            writer()  # woken for nothing
        if cancelled:
            cancel()
        world.passes(TIMES.connect)
        assert not outcome.is_known
        world.passes(2 * TICK)
        if cancelled:
            assert not outcome.is_known
        else:
            assert world.fails(outcome) == "no connection within 5 s"


@pytest.mark.parametrize("when", ["at once", "resolving"])
def test_cancel(world: World, server: socket.socket, when: str) -> None:
    """An attempt that is taken back is never heard of again."""
    host = "app.internal" if when == "resolving" else "127.0.0.1"
    outcome, cancel = world.connect(host, server.getsockname()[1])
    if when == "resolving":
        world.loop.turn()
    cancel()
    if when == "resolving":
        world.names.answers("127.0.0.1")
    world.loop.rest()
    assert not outcome.is_known
    with pytest.raises(BlockingIOError):
        server.accept()


def test_bytes_on_a_rested_connection(world: World, server: socket.socket) -> None:
    """What came while it rested answers nothing, though nobody has read it yet."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1])
    connection = world.succeeds(outcome)
    peer = accepted(world.loop, server)
    (pool,) = world.pools
    pool.put(connection)
    assert pool.take(False) is connection
    pool.put(connection)
    peer.sends(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    world.loop.advance(FRESH + TICK)
    assert pool.take(False) is None
    peer.sock.close()
