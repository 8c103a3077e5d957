"""Slow start: a member that comes back gets a share of its weight that grows. Pure.

As HAProxy's ``slowstart``: linear, and never at the start of the daemon. In steps, since each is
a snapshot of its own.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from sorryd.model import Value

STEPS: Final = 20


class Climb(Value, frozen=True):
    """A member on its way to its weight, in `seconds` from the moment `began`.

    `step`, 1 to `STEPS`, is where it is.
    """

    began: float
    seconds: float
    step: int = 1

    @property
    def ramp(self) -> float:
        """The part of its weight that it gets, 1 / `STEPS` to 1."""
        return self.step / STEPS

    @property
    def next_at(self) -> float:
        """The moment of the next step."""
        return _at(self, self.step + 1)


def climbed(climb: Climb, now: float) -> Climb | None:
    """Where `climb` is at the moment `now`; None where it is over."""
    step = climb.step
    while step < STEPS and now >= _at(climb, step + 1):
        step += 1
    if step == STEPS:
        return None
    return climb if step == climb.step else replace(climb, step=step)


def _at(climb: Climb, step: int) -> float:
    return climb.began + climb.seconds * step / STEPS
