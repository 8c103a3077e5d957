"""The same warning from several workers: said once.

Each of them warns once a minute, say, that a site is full; all of them would each minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.logger import LogLevel

from sorryd.workers.orders import Said

QUIET: Final = 60.0
"""Seconds after a line in which no other worker says the same."""

MOST: Final = 200
"""Lines that are remembered."""

_SPEAKS_FOR_ITSELF: Final = frozenset({LogLevel.debug.name, LogLevel.info.name})


class Echoes:
    """What was warned of last, by whom and when. Mutable: one per daemon."""

    def __init__(self, moment: Callable[[], float]) -> None:
        self._moment = moment
        self._heard: dict[str, tuple[int, float]] = {}

    def is_one(self, number: int, said: Said) -> bool:
        """Whether another worker than `number` has said the same just now."""
        if said.level in _SPEAKS_FOR_ITSELF:
            return False
        now = self._moment()
        who, at = self._heard.get(said.text, (number, now))
        if who != number and now < at + QUIET:
            return True
        self._heard.pop(said.text, None)  # to be the newest
        self._heard[said.text] = number, now
        if len(self._heard) > MOST:
            del self._heard[next(iter(self._heard))]
        return False
