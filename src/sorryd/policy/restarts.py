"""When a worker that has died is started again. Pure."""

from __future__ import annotations

from typing import Final

from sorryd.model import Value

SOUND: Final = 10.0
"""Seconds that a worker must have lived for its death to be an accident."""

FIRST: Final = 0.1
LONGEST: Final = 30.0


class Restarts(Value, frozen=True):
    """`deaths` are those in a row of workers that did not live long."""

    deaths: int = 0

    def died(self, lived: float) -> Restarts:
        """One has died, `lived` seconds after it began."""
        return Restarts(deaths=1 if lived >= SOUND else self.deaths + 1)

    @property
    def wait(self) -> float:
        """Seconds until the next one: none at first, then ever longer, up to `LONGEST`."""
        if self.deaths <= 1:
            return 0.0
        return min(LONGEST, FIRST * 2.0 ** min(self.deaths - 2, 20))
