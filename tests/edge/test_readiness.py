"""Readiness of descriptors, by either kind."""

from __future__ import annotations

import contextlib
import socket
from functools import partial

import pytest
from tests.edge.loops import Loop, Pair, never
from twisted.logger import capturedLogs

from sorryd.edge.reactor_readiness import ReactorReadiness
from sorryd.edge.readiness import BATCH, EpollReadiness, readiness_of


def test_read(loop: Loop, pair: Pair) -> None:
    """Level-triggered: told as long as there is something to read, and not any more after."""
    one, other = pair
    told: list[str] = []
    loop.readiness.watch_read(one.fileno(), lambda: told.append("read"))
    loop.rest()
    assert told == []
    other.send(b"x")
    loop.turn()
    loop.turn()
    assert told == ["read", "read"]
    one.recv(10)
    loop.turn()
    assert told == ["read", "read"]
    other.send(b"x")
    loop.readiness.unwatch_read(one.fileno())
    loop.turn()
    assert told == ["read", "read"]


def test_write(loop: Loop, pair: Pair) -> None:
    """Told while the kernel takes more."""
    one, other = pair
    told: list[str] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            one.send(bytes(65536))
    loop.readiness.watch_write(one.fileno(), lambda: told.append("write"))
    loop.rest()
    assert told == []
    with contextlib.suppress(BlockingIOError):
        while True:
            other.recv(1 << 20)
    loop.turn()
    assert told == ["write"]
    loop.readiness.unwatch_write(one.fileno())


def test_both(loop: Loop, pair: Pair) -> None:
    """Each direction of a descriptor is watched by itself."""
    one, other = pair
    told: list[str] = []
    ready = loop.readiness
    ready.watch_read(one.fileno(), lambda: told.append("read"))
    ready.watch_write(one.fileno(), lambda: told.append("write"))
    other.send(b"x")
    loop.turn()
    assert sorted(told) == ["read", "write"]
    ready.unwatch_read(one.fileno())
    told.clear()
    loop.turn()
    assert told == ["write"]
    ready.unwatch_write(one.fileno())
    told.clear()
    loop.turn()
    assert told == []
    ready.watch_read(one.fileno(), lambda: told.append("read again"))
    loop.turn()
    assert told == ["read again"]
    ready.unwatch_read(one.fileno())


def test_replaced(loop: Loop, pair: Pair) -> None:
    """Watching again replaces whom to tell."""
    one, other = pair
    told: list[str] = []
    loop.readiness.watch_read(one.fileno(), never)
    loop.readiness.watch_read(one.fileno(), lambda: told.append("read"))
    other.send(b"x")
    loop.turn()
    assert told == ["read"]
    loop.readiness.unwatch_read(one.fileno())


def test_unwatched_twice(loop: Loop, pair: Pair) -> None:
    """Not to watch what is not watched is no error."""
    for _ in range(2):
        loop.readiness.unwatch_read(pair[0].fileno())
        loop.readiness.unwatch_write(pair[0].fileno())


def test_left(loop: Loop) -> None:
    """Who leaves a descriptor hears no more of it, and its number may be another's at once."""
    told: list[str] = []
    for name in ("first", "second"):
        one, other = socket.socketpair()
        fd = one.fileno()
        loop.readiness.watch_read(fd, partial(told.append, name))
        loop.readiness.watch_write(fd, never)
        other.send(b"x")
        loop.readiness.leave(fd)
        loop.readiness.leave(fd)
        loop.turn()
        assert told == []
        one.close()
        other.close()
        again = socket.socketpair()
        assert fd in {half.fileno() for half in again}
        loop.readiness.watch_read(fd, partial(told.append, name))
        for half in again:
            half.send(b"x")
        loop.turn()
        assert told == [name]
        told.clear()
        loop.readiness.unwatch_read(fd)
        for half in again:
            half.close()


@pytest.mark.parametrize("direction", ["read", "write"])
def test_peer_gone(loop: Loop, pair: Pair, direction: str) -> None:
    """A descriptor that failed is told to whoever watches it, in either direction."""
    one, other = pair
    told: list[str] = []
    if direction == "read":
        loop.readiness.watch_read(one.fileno(), lambda: told.append("read"))
    else:
        loop.readiness.watch_write(one.fileno(), lambda: told.append("write"))
    other.close()
    loop.turn()
    assert told == [direction]
    loop.readiness.unwatch_read(one.fileno())
    loop.readiness.unwatch_write(one.fileno())


def test_unwatched_by_another(loop: Loop) -> None:
    """One that is told may stop another one from being told in the same turn."""
    pairs = [socket.socketpair() for _ in range(2)]
    told: list[int] = []

    def tell(fd: int) -> None:
        told.append(fd)
        for one, _ in pairs:
            loop.readiness.unwatch_read(one.fileno())

    for one, other in pairs:
        loop.readiness.watch_read(one.fileno(), partial(tell, one.fileno()))
        other.send(b"x")
    loop.turn()
    assert len(told) == 1
    for one, other in pairs:
        one.close()
        other.close()


def test_soon(loop: Loop) -> None:
    """What is put off is done in order, in the next turn, and what it puts off as well."""
    told: list[str] = []
    loop.readiness.soon(lambda: told.append("1"))
    loop.readiness.soon(lambda: loop.readiness.soon(lambda: told.append("3")))
    loop.readiness.soon(lambda: told.append("2"))
    assert told == []
    loop.rest()
    assert told == ["1", "2", "3"]


def test_soon_from_a_callback(loop: Loop, pair: Pair) -> None:
    """What a callback puts off is done when the callbacks of its turn are."""
    one, other = pair
    told: list[str] = []

    def read() -> None:
        one.recv(10)
        loop.readiness.soon(lambda: told.append("soon"))
        told.append("read")

    loop.readiness.watch_read(one.fileno(), read)
    other.send(b"x")
    loop.rest()
    assert told == ["read", "soon"]
    loop.readiness.unwatch_read(one.fileno())


def test_bugs(loop: Loop, pair: Pair) -> None:
    """A bug in one callback is logged, and stops no other."""
    one, other = pair
    told: list[str] = []

    def bug() -> None:
        one.recv(10)
        raise ZeroDivisionError

    loop.readiness.watch_read(one.fileno(), bug)
    loop.readiness.soon(bug)
    loop.readiness.soon(lambda: told.append("soon"))
    other.send(b"x")
    with capturedLogs() as logs:
        loop.rest()
        other.send(b"x")
        loop.rest()
    assert told == ["soon"]
    assert len(logs) >= 2
    loop.readiness.unwatch_read(one.fileno())


def test_many() -> None:
    """More descriptors than one batch takes all have their turn."""
    loop = Loop(EpollReadiness)
    with contextlib.ExitStack() as stack:
        told: set[int] = set()
        socks = []
        for _ in range(BATCH + 10):
            one, other = socket.socketpair()
            stack.callback(one.close)
            stack.callback(other.close)
            socks.append(one)
            loop.readiness.watch_read(one.fileno(), partial(told.add, one.fileno()))
            other.send(b"x")
        loop.turn()
        assert len(told) == BATCH
        for _ in range(3):
            for fd in told:
                loop.readiness.unwatch_read(fd)
            loop.turn()
        assert len(told) == BATCH + 10
        for one in socks:
            loop.readiness.unwatch_read(one.fileno())
    loop.end()


def test_choice() -> None:
    """Where there is epoll, it is taken."""
    loop = Loop(ReactorReadiness)
    chosen = readiness_of(loop, loop)
    assert isinstance(chosen, EpollReadiness)
    chosen.close()
    loop.end()


def test_close(pair: Pair) -> None:
    """Closing stops watching everything."""
    for kind in (EpollReadiness, ReactorReadiness):
        loop = Loop(kind)
        loop.readiness.watch_read(pair[0].fileno(), never)
        loop.readiness.watch_write(pair[0].fileno(), never)
        loop.readiness.close()
        loop.turn()
        assert not loop.getReaders()
        assert not loop.getWriters()


def test_closed_by_a_callback(pair: Pair) -> None:
    """It may be closed by one whom it calls."""
    loop = Loop(EpollReadiness)
    loop.readiness.close()
    ready = EpollReadiness(loop, loop, rounds=3)
    ready.watch_read(pair[0].fileno(), ready.close)
    pair[1].send(b"x")
    with capturedLogs() as logs:
        loop.turn()
    assert logs == []
