"""The grace of requests in flight that a window covers which acts on a part of its site.

As with all of a site (drain.py) it is counted by the monotonic clock, from the moment at which
the window was seen to act, and each window has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sorryd.edge.wheel import NEVER, Wheel
from sorryd.window import Scope, Window

_Part = tuple[str, Scope]  # of a window whose scope changes, others have all of their time


class PartialDrain:
    """Follows the windows of one site; calls `expire` when one has drained long enough."""

    def __init__(self, wheel: Wheel, expire: Callable[[], None]) -> None:
        self._wheel = wheel
        self._expire = expire
        self._ends: dict[_Part, float] = {}  # moments
        self._over: frozenset[_Part] = frozenset()
        self.deadline = NEVER

    def follow(self, windows: Sequence[Window], drain: float) -> None:
        """These act on a part from now on; `drain` is the duration of those without their own."""
        if not (windows or self._ends):
            return
        now = self._wheel.now
        self._ends = {
            _part(window): self._ends.get(
                _part(window), now + (drain if window.drain is None else window.drain)
            )
            for window in windows
        }
        self._over &= self._ends.keys()
        self._wait()

    def is_over(self, window: Window) -> bool:
        """Whether nobody whom `window` covers may finish any more."""
        return _part(window) in self._over

    def timed_out(self) -> None:
        """See wheel.Timed."""
        now = self._wheel.now
        self._over |= {part for part, end in self._ends.items() if end <= now}
        self._wait()
        self._expire()

    def _wait(self) -> None:
        self.deadline = min(
            (end for part, end in self._ends.items() if part not in self._over), default=NEVER
        )
        self._wheel.discard(self)
        if self.deadline != NEVER:
            self._wheel.add(self)


def _part(window: Window) -> _Part:
    return window.id, window.scope
