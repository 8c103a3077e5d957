"""The alarm says when to look again, and nothing more: what is true then, others know.

Two wakers. A *beat* on the reactor's clock (monotonic, as `service` sets it) looks at least
every second, whatever the wall clock does. APScheduler looks at the very instant that was asked
for. It reckons by the wall clock, and would sleep an hour longer when that steps back an hour;
so whoever looks asks anew at every look, and each time the instant is set afresh.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

BEAT = 1.0  # seconds between two looks, at the most
_FARTHEST = 86400.0  # seconds ahead that the scheduler is asked for; long before, a beat asks anew

_log = Logger()


class Alarm:
    """Calls `look` at least every second, and at the instant given to `wake_at`.

    `now` is the wall clock. `look` is called in the reactor's thread; what it raises is logged,
    and the alarm goes on.
    """

    def __init__(
        self, reactor: IReactorTime, now: Callable[[], float], look: Callable[[], None]
    ) -> None:
        self._reactor = reactor
        self._now = now
        self._look = look
        self._scheduler: Any = None  # APScheduler has no types
        self._beating: IDelayedCall | None = None
        self._due: IDelayedCall | None = None

    def start(self) -> None:
        """Look now, and from now on."""
        self._scheduler = _scheduler(self._reactor)
        self._scheduler.start()
        self._beat()

    def stop(self) -> None:
        """Look no more; no call is left in the reactor. Harmless when it was not started."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=False)
        for call in (self._beating, self._due):
            if call is not None and call.active():
                call.cancel()

    def wake_at(self, instant: float) -> None:
        """Look at `instant` too, in place of the one given before; infinite is never.

        Ignored while the alarm is stopped: it looks when it starts.
        """
        if self._scheduler is None:
            return
        if instant == math.inf:
            self._scheduler.remove_all_jobs()
            return
        ahead = min(max(instant - self._now(), 0.0), _FARTHEST)
        self._scheduler.add_job(
            self._rung,
            "date",
            run_date=datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ahead),
            id="edge",
            replace_existing=True,
        )

    def _beat(self) -> None:
        self._beating = self._reactor.callLater(BEAT, self._beat)
        self._looked()

    def _rung(self) -> None:
        # Not from within the scheduler: to look may ask it for another instant.
        self._due = self._reactor.callLater(0, self._looked)

    def _looked(self) -> None:
        try:
            self._look()
        except Exception:
            _log.failure("a bug in what happens at a look; the alarm goes on")


class _InThread:
    """The reactor as the scheduler sees it. All its calls come from the reactor's thread, so
    each is done at once, where `callFromThread` would put it off; so `stop` leaves nothing."""

    def __init__(self, reactor: IReactorTime) -> None:
        self.callLater = reactor.callLater

    def callFromThread(self, call: Callable[..., object], *args: Any, **named: Any) -> None:
        call(*args, **named)


def _scheduler(reactor: IReactorTime) -> Any:
    # Imported late: its module imports twisted.internet.reactor, and so would choose a reactor
    # before the service has.
    from apscheduler.executors.debug import DebugExecutor
    from apscheduler.schedulers.twisted import TwistedScheduler

    return TwistedScheduler(
        reactor=_InThread(reactor),
        timezone=datetime.UTC,
        executors={"default": DebugExecutor()},  # in the reactor's thread, not in another
        # By default a job a second late is dropped, as after a stalled process.
        job_defaults={"misfire_grace_time": None, "coalesce": True},
    )
