"""Connected sockets: the addresses of a member, one after the other, each for its time."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.edge.loops import Loop

from sorryd.edge.dialling import Dial, Target, path_of
from sorryd.edge.kernel import Socket
from sorryd.edge.wheel import TICK, Wheel

LIMIT = 6.0  # seconds
LATE = "too late"


class Call:
    """One dial, and what came of it."""

    def __init__(self, loop: Loop, *targets: Target) -> None:
        self.loop = loop
        self.wheel = Wheel(loop, loop.seconds)
        self.wheel.start()
        self.failed: list[str] = []
        self.ended: list[tuple[Socket | None, str]] = []
        until = self.wheel.now + LIMIT
        self.dial = Dial(loop.readiness, self.wheel, until, LATE, self.failed.append, self._done)
        self.dial.start(targets)

    def _done(self, sock: Socket | None, words: str) -> None:
        self.ended.append((sock, words))

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.loop.advance(TICK)
            self.loop.rest()

    def succeeds(self) -> str:
        self.loop.until(lambda: self.ended)
        ((sock, where),) = self.ended
        assert sock is not None, where
        sock.close()
        return where

    def end(self) -> None:
        assert len(self.wheel) == 0
        self.wheel.stop()


@contextlib.contextmanager
def swallowing(family: int, address: str | tuple[str, int]) -> Iterator[socket.socket]:
    """A server whose queue is full: who connects to it waits."""
    with socket.socket(family) as full, contextlib.ExitStack() as stack:
        full.bind(address)
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full


def test_second_address_in_time(loop: Loop, server: socket.socket) -> None:
    """An address that swallows all is given up after its part of the time."""
    port = server.getsockname()[1]
    with swallowing(socket.AF_INET, ("127.0.0.2", port)):
        call = Call(loop, Target("127.0.0.2", port), Target("127.0.0.1", port))
        call.passes(LIMIT / 2 - 2 * TICK)
        assert not call.failed
        call.passes(4 * TICK)
        assert call.succeeds() == "127.0.0.1"
        assert call.failed == ["127.0.0.2"]
        call.end()


def test_too_late(loop: Loop) -> None:
    """When the time of all is over, that is why."""
    with swallowing(socket.AF_INET, ("127.0.0.1", 0)) as full:
        target = Target("127.0.0.1", full.getsockname()[1])
        call = Call(loop, target, target)
        call.passes(LIMIT - 2 * TICK)
        assert not call.ended
        call.passes(4 * TICK)
        assert call.ended == [(None, LATE)]
        assert call.failed == ["127.0.0.1"] * 2
        call.end()


def test_cancel(loop: Loop) -> None:
    """Nobody is told of what was taken back."""
    with swallowing(socket.AF_INET, ("127.0.0.1", 0)) as full:
        call = Call(loop, Target("127.0.0.1", full.getsockname()[1]))
        call.dial.cancel()
        call.passes(2 * LIMIT)
        assert not call.ended
        call.end()


def test_no_address(loop: Loop) -> None:
    """Nothing to try is told as that."""
    call = Call(loop)
    assert call.ended == [(None, "it has no address")]
    call.end()


def test_unix_socket(loop: Loop, tmp_path: Path) -> None:
    """A UNIX socket is connected to by its path."""
    path = str(tmp_path / "app.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        call = Call(loop, path_of(path))
        assert call.succeeds() == path
        call.end()


@pytest.mark.parametrize("there", [True, False])
def test_unix_socket_without_anybody(loop: Loop, tmp_path: Path, there: bool) -> None:
    """A path without a server fails at once, and says why."""
    path = str(tmp_path / "app.sock")
    if there:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
    call = Call(loop, path_of(path))
    why = "connection refused" if there else "no such file or directory"
    assert call.ended == [(None, why)]
    call.end()


@pytest.mark.parametrize("in_time", [True, False])
def test_busy_unix_socket(loop: Loop, tmp_path: Path, in_time: bool) -> None:
    """A UNIX socket whose queue is full, of which no poll can tell, is tried again."""
    path = str(tmp_path / "app.sock")
    with swallowing(socket.AF_UNIX, path) as full:
        call = Call(loop, path_of(path))
        call.passes(LIMIT / 2)
        assert not call.ended
        if in_time:
            full.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    full.accept()[0].close()
            call.passes(2 * TICK)
            assert call.succeeds() == path
        else:
            call.passes(LIMIT)
            assert call.ended == [(None, LATE)]
        call.end()
