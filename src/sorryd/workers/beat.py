"""Looks at the time in a worker, which is told of no alarm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

log = Logger()

BEAT: Final = 1.0
"""Seconds between two looks, at the most: the wall clock may be set at any time."""


class Beat:
    """Calls `look` at least every second, and at the instant that `due` says. `now` is the wall
    clock; requests look at it by themselves, so this is for what happens when nobody asks."""

    def __init__(
        self,
        reactor: IReactorTime,
        now: Callable[[], float],
        look: Callable[[], None],
        due: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._now = now
        self._look = look
        self._due = due
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Look now, and from now on; also when `due` may say something else."""
        self.stop()
        self._beat()

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None

    def _beat(self) -> None:
        try:
            self._look()
        except Exception:
            log.failure("a bug in what happens at a look; it goes on")
        wait = min(BEAT, max(0.0, self._due() - self._now()))
        self._next = self._reactor.callLater(wait, self._beat)
