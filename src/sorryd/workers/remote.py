"""A worker in a process of its own: started again when that ends by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, assert_never

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from sorryd.numbers import EdgeNumbers
from sorryd.policy.restarts import Restarts
from sorryd.policy.shares import Share
from sorryd.reports import Active, WorkerSeen
from sorryd.snapshot import Snapshot
from sorryd.workers.briefing import Briefing
from sorryd.workers.handover import forget
from sorryd.workers.interfaces import Certificates, Outfit
from sorryd.workers.meter import Asked, Meter
from sorryd.workers.orders import (
    Count,
    Counted,
    Done,
    Failed,
    Fit,
    Hurry,
    Leaving,
    Measure,
    Measured,
    Order,
    Ready,
    Reopen,
    Reported,
    Retire,
    Said,
    Show,
    Stop,
    Word,
)
from sorryd.workers.papers import papers_of
from sorryd.workers.process import Process
from sorryd.workers.seat import Seat

log = Logger()

PARTING: Final = 10.0
"""Seconds beyond the limit after which a worker that stops is killed: it has goodbyes to say."""

HURRY: Final = 2.0
"""Seconds after which it is killed that nobody waits for any longer."""


class Remote:
    """See interfaces.Worker. `leaves` is called where an operator has told the process to go."""

    is_here = False

    def __init__(self, seat: Seat, share: Share, leaves: Callable[[Remote], None]) -> None:
        self.share = share
        self._seat = seat
        self._leaves = leaves
        self._snapshot: Snapshot | None = None
        self._outfit: Outfit | None = None
        self._is_stale = False  # it does not know the snapshot
        self._active: Asked[Sequence[Active]] = Asked(seat.reactor, ())
        self._meter = Meter(seat.reactor, seat.ledger)
        self._is_ending = self._is_stopping = False
        self._over: list[Deferred[None]] = []
        self._late: IDelayedCall | None = None
        self._record = Restarts()
        self._again: IDelayedCall | None = None
        self._process: Process | None = None
        self._briefing: Briefing | None = None  # while the process is there
        self._start()

    # --- its process ---

    def _start(self) -> None:
        """Have a process; where there can't be one, the log says why, and it is tried again."""
        seat, number, self._again = self._seat, self.share.number, None
        self._began, self._since = seat.reactor.seconds(), seat.now()
        self._briefing = None
        try:
            self._process = Process(
                seat.reactor, seat.fork(), f"worker {number}",
                self._born, self._told, self._progressed, self._ended,
            )  # fmt: skip
        except OSError as why:
            self._died(f"worker {number} can't be started: {str(why.strerror).lower()}")

    def _born(self) -> None:
        """It is there: it is told all that it must know."""
        assert self._process is not None
        self._order(replace(self._seat.begin, number=self.share.number))
        self._briefing = Briefing(self._process)
        self._is_stale = self._snapshot is not None
        self._flush()
        self._fit()

    def _ended(self) -> None:
        """The process is gone, whatever it was doing."""
        process, self._process, self._briefing = self._process, None, None
        assert process is not None
        self._active.heard(())
        self._meter.ended()
        number = self.share.number
        if process.pid is not None:
            forget(self._seat.begin.state, process.pid)
        if not self._is_stopping:
            self._seat.lost(number)
        if self._is_ending:
            process.let_go()
            self._gone()
        elif process.pid is None:
            self._died(f"worker {number} could not be started")
        else:
            self._died(f"worker {number} (process {process.pid}) has died")

    def _died(self, how: str) -> None:
        self._seat.died(self.share.number)
        self._record = self._record.died(self._seat.reactor.seconds() - self._began)
        wait = self._record.wait
        when = f" in {wait:g} s" if wait else ""
        log.error("{how}; another one is started{when}", how=how, when=when)
        self._again = self._seat.reactor.callLater(wait, self._start)

    def _told(self, word: Word) -> None:
        match word:
            case Reported():
                self._seat.report(word.report)
            case Said():
                self._seat.log(self.share.number, word)
            case Counted():
                self._active.heard(word.active)
            case Measured():
                self._meter.heard(word.numbers)
            case Failed():
                if word.order == Fit.__name__ and self._briefing is not None:
                    self._briefing.failed()
            case Leaving():
                if not self._is_ending:
                    self._leaves(self)
            case Ready() | Done():
                raise AssertionError("the process keeps these")
            case _:
                assert_never(word)

    def _order(self, order: Order) -> None:
        if self._process is not None and self._process.pid is not None:
            self._process.order(order)

    # --- what it is told ---

    def apply(self, snapshot: Snapshot) -> None:
        self._snapshot, self._is_stale = snapshot, True
        self._progressed()

    def _progressed(self) -> None:
        if self._briefing is not None and self._briefing.can_take:
            self._flush()

    def _flush(self) -> None:
        if self._is_stale and self._briefing is not None:
            assert self._snapshot is not None
            self._is_stale = False
            self._briefing.publish(self._snapshot, self.share)

    def fit(self, outfit: Outfit) -> None:
        self._outfit = outfit
        self._flush()
        self._fit()

    def _fit(self) -> None:
        if self._outfit is not None and self._briefing is not None:
            self._briefing.fit(self._outfit, self.share)

    def show(self, certificates: Certificates) -> None:
        if self._outfit is not None:
            self._outfit = self._outfit._replace(certificates=certificates)
        self._order(Show(papers=papers_of(certificates)))

    def reopen(self) -> None:
        self._order(Reopen())

    def look(self) -> None:
        process, briefing = self._process, self._briefing
        if process is None or briefing is None:
            return
        if briefing.is_unfit:
            self._fit()
        if process.is_settled and self._meter.is_due:
            self.measure()  # which is a sign of life, too: see PATIENCE

    # --- what it is asked ---

    @property
    def serves(self) -> bool:
        return self._briefing is not None and self._briefing.serves

    @property
    def seen(self) -> WorkerSeen | None:
        number, seat = self.share.number, self._seat
        pid = None if self._process is None else self._process.pid
        return WorkerSeen(
            number=number,
            pid=pid,
            since=None if pid is None else self._since,
            restarts=seat.restarts[number],
            restarted=seat.restarted.get(number),
            is_leaving=self._is_ending,
        )

    def settled(self) -> Deferred[None]:
        return succeed(None) if self._briefing is None else self.fitted()

    def fitted(self) -> Deferred[None]:
        self._flush()
        return succeed(None) if self._process is None else self._process.settled()

    @property
    def numbers(self) -> EdgeNumbers:
        return self._meter.last

    def measure(self) -> Deferred[EdgeNumbers]:
        if self._briefing is None:
            return succeed(self.numbers)
        return self._meter.ask(lambda: self._order(Measure()))

    def active(self) -> Deferred[Sequence[Active]]:
        if self._briefing is None:
            return succeed(self._active.last)
        return self._active.ask(lambda: self._order(Count()))

    # --- its end ---

    def retire(self, limit: float) -> Deferred[None]:
        return self._end(Retire(limit=limit), limit)

    def stop(self, limit: float) -> Deferred[None]:
        is_first, self._is_stopping = not self._is_stopping, True
        return self._end(Stop(limit=limit) if is_first else None, limit)

    def _end(self, order: Retire | Stop | None, limit: float) -> Deferred[None]:
        """It may be told so again, as when sorryd stops while it retires; never the other way."""
        self._be_the_last()
        if self._process is None:
            return succeed(None)
        over: Deferred[None] = Deferred()
        self._over.append(over)
        if self._briefing is None:
            self._process.kill()
        elif isinstance(order, Stop) or (order is not None and not self._is_stopping):
            self._order(order)
            self._expect_the_end(limit + PARTING)
        return over

    def _be_the_last(self) -> None:
        """No other process comes after this one."""
        self._is_ending = True
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _expect_the_end(self, limit: float) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = self._seat.reactor.callLater(limit, self._overdue)

    def _overdue(self) -> None:
        self._late = None
        if self._process is not None:
            log.error("worker {number} did not end in time", number=self.share.number)
            self._process.kill()

    def _gone(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()
        over, self._over = self._over, []
        for one in over:
            one.callback(None)

    def leave(self) -> None:
        self._is_stopping = True
        self._be_the_last()
        if self._process is not None:
            self._process.leave()

    def hurry(self) -> None:
        self._order(Hurry())
        if self._is_ending and self._process is not None:
            self._expect_the_end(HURRY)
