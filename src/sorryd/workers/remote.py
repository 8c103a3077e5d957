"""A worker in a process of its own: started again when that ends by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from socket import socket
from typing import Any, Final, assert_never

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger, LogLevel

from sorryd.policy.restarts import Restarts
from sorryd.policy.shares import Share, mine
from sorryd.recording import log_of
from sorryd.reports import Active, Report
from sorryd.snapshot import SiteView, Snapshot
from sorryd.workers.interfaces import Certificates, Outfit
from sorryd.workers.orders import (
    Begin,
    Count,
    Counted,
    Done,
    Fit,
    Hurry,
    Opening,
    Order,
    Publish,
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

log = Logger()

PARTING: Final = 10.0
"""Seconds beyond the limit after which a worker that stops is killed: it has goodbyes to say."""

COUNTING: Final = 2.0
"""Seconds in which a worker must say what is in flight; else what it said last counts."""


class Seat:
    """What all workers of a daemon share: who makes them, and who hears of them.

    `fork` gives our end of a socket to a fresh process. `report` gets what edges see, `lost` the
    number of a worker that has died.
    """

    def __init__(
        self,
        reactor: Any,
        begin: Begin,
        fork: Callable[[], socket],
        report: Callable[[Report], None],
        lost: Callable[[int], None],
    ) -> None:
        self.reactor = reactor
        self.begin = begin
        self.fork = fork
        self.report = report
        self.lost = lost


class Remote:
    """See interfaces.Worker. `restarts` counts the processes that have died on it."""

    def __init__(self, seat: Seat, share: Share) -> None:
        self.share = share
        self.restarts = 0
        self._seat = seat
        self._snapshot: Snapshot | None = None
        self._outfit: Outfit | None = None
        self._certificates: Certificates = {}
        self._sent: dict[str, SiteView] = {}  # to the process of now
        self._held: frozenset[int] = frozenset()  # keys of the sockets that it has
        self._active: Sequence[Active] = ()
        self._counting: list[Deferred[Sequence[Active]]] = []
        self._is_ending = False
        self._over: Deferred[None] = Deferred()
        self._record = Restarts()
        self._again: IDelayedCall | None = None
        self._process: Process
        self._start()

    @property
    def pid(self) -> int | None:
        """Of the process of now; None while there is none."""
        return None if self._process.is_over else self._process.pid

    # --- its process ---

    def _start(self) -> None:
        seat = self._seat
        self._again = None
        self._began = seat.reactor.seconds()
        self._sent, self._held, self._active = {}, frozenset(), ()
        self._process = Process(
            seat.reactor, seat.fork(), f"worker {self.share.number}", self._told, self._ended
        )
        self._order(replace(seat.begin, number=self.share.number))
        if self._snapshot is not None:
            self._publish(self._snapshot)
        if self._outfit is not None:
            self.fit(self._outfit._replace(certificates=self._certificates))

    def _ended(self) -> None:
        """The process is gone, whatever it was doing."""
        self._active = ()
        self._counted()
        if self._is_ending:
            self._over.callback(None)
            return
        self.restarts += 1
        self._record = self._record.died(self._seat.reactor.seconds() - self._began)
        log.error(
            "worker {number} (process {pid}) has died; another one is started{when}",
            number=self.share.number, pid=self._process.pid,
            when=f" in {self._record.wait:g} s" if self._record.wait else "",
        )  # fmt: skip
        self._seat.lost(self.share.number)
        self._again = self._seat.reactor.callLater(self._record.wait, self._start)

    def _told(self, word: Word) -> None:
        match word:
            case Reported():
                self._seat.report(word.report)
            case Said():
                number, level = self.share.number, LogLevel.lookupByName(word.level)
                log.emit(level, "worker {number}: {text}", number=number, text=word.text)
            case Counted():
                self._active = word.active
                self._counted()
            case Ready() | Done():
                raise AssertionError("the process keeps these")
            case _:
                assert_never(word)

    def _order(self, order: Order, fds: Sequence[int] = ()) -> None:
        self._process.order(order, fds)

    # --- what it is told ---

    def apply(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._publish(snapshot)

    def _publish(self, snapshot: Snapshot) -> None:
        if self._process.is_over:
            return
        views = mine(snapshot, self.share).sites
        changed = tuple(v for v in views if self._sent.get(v.site.name) != v)
        self._sent = {view.site.name: view for view in views}
        self._order(Publish(serial=snapshot.serial, sites=tuple(self._sent), views=changed))

    def fit(self, outfit: Outfit) -> None:
        self._outfit, self._certificates = outfit, outfit.certificates
        if self._process.is_over:
            return
        new = [one for one in outfit.bound if one.key not in self._held]
        openings = tuple(
            Opening(key=b.key, listen=b.listen, sites=b.sites, is_new=b.key not in self._held)
            for b in outfit.bound
        )
        self._held = frozenset(one.key for one in outfit.bound)
        order = Fit(
            openings=openings,
            papers=papers_of(outfit.certificates),
            log=log_of(outfit.config),
            retire=outfit.config.retire,
        )
        self._order(order, [one.sock.fileno() for one in new])

    def show(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._order(Show(papers=papers_of(certificates)))

    def reopen(self) -> None:
        self._order(Reopen())

    def look(self) -> None:
        """A worker has a clock of its own."""

    def settled(self) -> Deferred[None]:
        return self._process.settled()

    # --- what it is asked ---

    def active(self) -> Deferred[Sequence[Active]]:
        if not self._process.is_up:
            return succeed(self._active)
        counting: Deferred[Sequence[Active]] = Deferred()
        counting.addTimeout(COUNTING, self._seat.reactor, lambda _, __: self._active)
        self._counting.append(counting)
        self._order(Count())
        return counting

    def _counted(self) -> None:
        counting, self._counting = self._counting, []
        for one in counting:
            if not one.called:
                one.callback(self._active)

    # --- its end ---

    def retire(self, limit: float) -> Deferred[None]:
        return self._end(Retire(limit=limit), limit)

    def stop(self, limit: float) -> Deferred[None]:
        return self._end(Stop(limit=limit), limit)

    def _end(self, order: Order, limit: float) -> Deferred[None]:
        """It may be told so again, as when sorryd stops while it retires."""
        self._is_ending = True
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._process.is_over:
            return succeed(None)
        self._order(order)
        over: Deferred[None] = Deferred()
        self._over.addCallback(_also, over)
        late = self._seat.reactor.callLater(limit + PARTING, self._process.kill)
        over.addCallback(lambda _: late.cancel() if late.active() else None)
        return over

    def hurry(self) -> None:
        self._order(Hurry())


def _also(_: None, over: Deferred[None]) -> None:
    over.callback(None)
