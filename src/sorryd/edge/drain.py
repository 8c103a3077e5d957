"""The grace of requests in flight when a site goes down.

It is counted by the monotonic clock from the moment that the site was seen to serve no more.
On a quiet day it ends with the phase `draining`; where a step of the wall clock, or a window
that has begun already, leaves out that phase or cuts it short, requests in flight still have
all of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from sorryd.edge.wheel import NEVER, Wheel
from sorryd.model import Phase
from sorryd.policy.windows import Standing

SLACK: Final = 1.0
"""Seconds by which the two clocks may differ over one drain without a step."""


class Drain:
    """Follows one site's phase; calls `expire` once, when what is in flight has had its time.

    It does so from a tick of the wheel, whoever made the site look.
    """

    def __init__(self, wheel: Wheel, expire: Callable[[], None]) -> None:
        self._wheel = wheel
        self._expire = expire
        self._began: float | None = None  # the moment; None while the site serves
        self._announced = False  # the phase was seen to be draining
        self.is_over = False
        """Whether nobody may finish any more."""
        self.deadline = NEVER

    def follow(self, standing: Standing) -> None:
        """The site stands so from now on."""
        now = self._wheel.now
        if standing.phase.serves:
            self._began = None
            self._announced = self.is_over = False
        elif self._began is None:
            self._began = now
        self._wheel.discard(self)
        if standing.phase is Phase.DRAINING:
            self._announced = True
        elif self._began is not None and not self.is_over:
            left = self._began + standing.drain - now
            is_over = left <= (SLACK if self._announced else 0.0)
            # Never at once: it may be the report of an exchange that made us look, and to end
            # that exchange beneath it would answer its request twice.
            self.deadline = -math.inf if is_over else now + left
            self._wheel.add(self)

    def timed_out(self) -> None:
        """See wheel.Timed."""
        self._wheel.discard(self)
        self.is_over = True
        self._expire()
