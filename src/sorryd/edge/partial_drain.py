"""The grace of requests in flight that a window covers which acts on a part of its site.

As with all of a site (drain.py) it is counted by the monotonic clock, from the moment at which
the window was seen to act, and each window has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sorryd.edge.wheel import NEVER, Wheel
from sorryd.window import Window


class PartialDrain:
    """Follows the windows of one site; calls `expire` when one has drained long enough."""

    def __init__(self, wheel: Wheel, expire: Callable[[], None]) -> None:
        self._wheel = wheel
        self._expire = expire
        self._ends: dict[str, float] = {}  # moments, by the ids of windows
        self.over: frozenset[str] = frozenset()
        """Ids of the windows for which nobody may finish any more."""
        self.deadline = NEVER

    def follow(self, windows: Sequence[Window], drain: float) -> None:
        """These act on a part from now on; `drain` is the duration of those without their own."""
        if not (windows or self._ends):
            return
        now = self._wheel.now
        self._ends = {
            window.id: self._ends.get(
                window.id, now + (drain if window.drain is None else window.drain)
            )
            for window in windows
        }
        self.over &= self._ends.keys()
        self._wait()

    def timed_out(self) -> None:
        """See wheel.Timed."""
        now = self._wheel.now
        self.over |= {name for name, end in self._ends.items() if end <= now}
        self._wait()
        self._expire()

    def _wait(self) -> None:
        self.deadline = min(
            (end for name, end in self._ends.items() if name not in self.over), default=NEVER
        )
        self._wheel.discard(self)
        if self.deadline != NEVER:
            self._wheel.add(self)
