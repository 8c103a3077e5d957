"""Real reactors for tests in one process, none of them installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.epollreactor import EPollReactor

PATIENCE = 20.0  # seconds after which what was waited for is taken for lost


class Turning:
    """A reactor that turns while a test waits."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor

    def until(self, happened: Callable[[], object]) -> None:
        """Turn until `happened` is true."""
        end = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < end, "waited in vain"
            self.reactor.iterate(0.001)

    def rest(self) -> None:
        """Turn until nothing is left to be done at once."""
        for _ in range(5):
            self.reactor.iterate(0)

    def end(self) -> None:
        """Nothing may be watched or put off any more."""
        self.rest()
        left = [one for one in self.reactor.removeAll() if one is not self.reactor.waker]
        assert left == []
        assert self.reactor.getDelayedCalls() == []
        self.reactor.waker.connectionLost(None)


def _uvloop() -> Iterator[Turning]:
    loop = uvloop.new_event_loop()
    turning = Turning(AsyncioSelectorReactor(loop))
    yield turning
    turning.end()
    loop.close()


def _epoll() -> Iterator[Turning]:
    turning = Turning(EPollReactor())
    yield turning
    turning.end()
    turning.reactor._poller.close()


@pytest.fixture(params=[_uvloop, _epoll], ids=["uvloop", "epoll"])
def turning(request: pytest.FixtureRequest) -> Iterator[Turning]:
    """Each reactor that sorryd runs on; nothing of the test may be left on it at the end."""
    yield from request.param()
