"""How fast one of several edges at a socket takes visitors in, so that the others get their part.

All are woken by who comes, and those that many come to at once are not awake at the same time: the
first one would have all of a pool's connections, for as long as the pool lives. So whoever has
more to do than a moment ago lets the others have a turn. Nobody is asked for that, and nothing is
shared: who comes and goes, one request each, costs no pause.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

SPAN: Final = 0.001
"""Seconds in which not much more may be taken in."""

MORE: Final = 4
"""How many connections more than at the beginning of a span there may be in it."""


class Pace:
    """One per edge, for all its listeners. `seconds` is a monotonic clock, `load` counts
    connections, whichever: those to members say as well how much there is to do."""

    def __init__(self, seconds: Callable[[], float], load: Callable[[], int]) -> None:
        self._seconds = seconds
        self._load = load
        self._until = 0.0
        self._most = 0

    def pause(self) -> float:
        """Seconds to let others accept before this one does; 0.0: none."""
        now = self._seconds()
        if now >= self._until:
            self._until = now + SPAN
            self._most = self._load() + MORE
            return 0.0
        return self._until - now if self._load() >= self._most else 0.0
