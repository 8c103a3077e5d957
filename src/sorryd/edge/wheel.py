"""Time-outs of the data path: one coarse wheel over the monotonic clock.

A connection keeps one number, its `deadline`; nothing is scheduled or cancelled when it
changes. Four times a second the wheel looks at all of them. So a time-out fires up to a
quarter of a second late and never early, setting one costs an attribute, and a step of the
wall clock is never noticed (the reactor that ticks must run on monotonic time: service.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sorryd.model import Timeouts

log = Logger(namespace=__name__)

TICK: Final = 0.25  # seconds
NEVER: Final = math.inf


class Timed(Protocol):
    """Something with one deadline (a moment), `NEVER` while it has none."""

    deadline: float

    def timed_out(self) -> None:
        """The deadline has passed; set another one, or go away."""


class Waits:
    """How long a site's connections wait, in seconds: model.Timeouts in machine code's reach."""

    __slots__ = ("answer", "body", "header", "idle", "stream", "tunnel")

    def __init__(self, timeouts: Timeouts) -> None:
        self.header = timeouts.header
        self.idle = timeouts.idle
        self.body = timeouts.body
        self.stream = timeouts.stream
        self.answer = timeouts.answer
        self.tunnel = timeouts.tunnel


class Patience:
    """How long is waited at a site, and by which wheel."""

    __slots__ = ("timeouts", "wheel")

    timeouts: Waits
    wheel: Wheel


class Wheel:
    """All that can time out. `now` is the moment of the last tick, plus one tick.

    The tick is added so that ``wheel.now + timeout`` is never early. `moment` is the clock itself.
    """

    def __init__(self, reactor: IReactorTime, moment: Callable[[], float]) -> None:
        self.moment = moment
        self._timed: set[Timed] = set()
        self._ticking = LoopingCall(self.tick)
        self._ticking.clock = reactor
        self.now = moment() + TICK
        self.add = self._timed.add
        self.discard = self._timed.discard

    def __len__(self) -> int:
        return len(self._timed)

    def start(self) -> None:
        """Begin to tick."""
        self._ticking.start(TICK)

    def stop(self) -> None:
        """Stop ticking; nothing times out any more."""
        if self._ticking.running:
            self._ticking.stop()

    def tick(self) -> None:
        """Look at every deadline once."""
        moment = self.moment()
        self.now = moment + TICK
        for late in [timed for timed in self._timed if timed.deadline <= moment]:
            # One before it in this tick may have put it off, or ended it.
            if late.deadline <= moment and late in self._timed:
                _time_out(late)


def _time_out(late: Timed) -> None:
    try:
        late.timed_out()
    except Exception:
        log.failure("a bug in the data path; the other time-outs go on")
        late.deadline = NEVER
