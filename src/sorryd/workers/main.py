"""A worker: it wires an Edge and its access log, and does as it is ordered.

`run` is called in a process that was forked for it. When its control process dies, it goes on to
serve by its last snapshot.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Sequence
from typing import Any, assert_never

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from sorryd.access_log import AccessLog, AccessLogFault
from sorryd.edge.edge import Edge
from sorryd.edge.readiness import readiness_of
from sorryd.journal_log import STDERR, leads_to_journal
from sorryd.reactors import keep_monotonic_time, rest_of, take_uvloop
from sorryd.recording import LogTo, Recording
from sorryd.reports import Report
from sorryd.snapshot import SiteView, Snapshot
from sorryd.workers.beat import Beat
from sorryd.workers.channel import open_channel
from sorryd.workers.doorways import Doorways
from sorryd.workers.foresight import Foresight
from sorryd.workers.handover import peer_of
from sorryd.workers.interfaces import Certificates
from sorryd.workers.logging import Lines
from sorryd.workers.orders import (
    Begin,
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
    Papers,
    Publish,
    Ready,
    Reopen,
    Reported,
    Retire,
    Show,
    Stop,
    Word,
)
from sorryd.workers.orphan import Orphan
from sorryd.workers.papers import Showcase
from sorryd.workers.patches import patched
from sorryd.workers.wiring import wired_edge

log = Logger()


def run(descriptor: int) -> None:
    """Serve, until it is told to end; `descriptor` is our end of the channel."""
    take_uvloop()
    from twisted.internet import reactor as installed

    reactor: Any = installed
    keep_monotonic_time(reactor)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)  # who asks by these asks the control process
    lines = Lines(leads_to_journal(os.environ, STDERR))
    lines.begin()
    worker = Main(reactor, socket.socket(fileno=descriptor), lines)
    signal.signal(signal.SIGTERM, lambda *_: reactor.callFromThread(worker.leave))
    reactor.callWhenRunning(worker.start)
    reactor.run(installSignalHandlers=False)


class Main:
    """The one worker of its process."""

    def __init__(self, reactor: Any, sock: socket.socket, lines: Lines) -> None:
        self._reactor = reactor
        self._sock = sock
        self._lines = lines
        self._orders = 0
        self._views: dict[str, SiteView] = {}
        self._edge: Edge
        self._foresight: Foresight
        self._recording: Recording
        self._doorways = Doorways(is_shared=True)
        self._showcase = Showcase()
        self._log: AccessLog | None = None
        self._retire = 0.0  # seconds
        self._snapshot = Snapshot(serial=0, sites=())
        self._is_ending = self._has_ended = False
        self._began = time.time()

    def start(self) -> None:
        """Be there."""
        self._control, _ = peer_of(self._sock)
        self._channel = open_channel(
            self._reactor, self._sock, "the control process", Order, self._obey, self._alone
        )
        self._lines.unsent = lambda: self._channel.unsent
        self._lines.say = self._say
        self._say(Ready(pid=os.getpid()))

    def _say(self, word: Word) -> None:
        self._channel.send(word)

    def _report(self, report: Report) -> None:
        if self._orphan.is_alone:
            self._orphan.report(report)
        else:
            self._say(Reported(report=report))
            self._foresight.report(report)

    # --- orders ---

    def _obey(self, order: Order, fds: Sequence[int]) -> None:
        try:
            self._carry_out(order, fds)
        except Exception:
            log.failure("a bug: {order} can't be carried out", order=type(order).__name__)
            if isinstance(order, Begin | Publish | Retire | Stop):
                # It must not serve by what is not so any more, and is started anew.
                self._end(None)
                return
            self._say(Failed(order=type(order).__name__))
        self._orders += 1
        self._say(Done(orders=self._orders))

    def _carry_out(self, order: Order, fds: Sequence[int]) -> None:
        match order:
            case Begin():
                self._begin(order)
            case Publish():
                self._publish(order)
            case Fit():
                self._fit(order, fds)
            case Show():
                self._edge.show(self._shown(order.papers))
            case Reopen():
                self._recording.reopen("SIGUSR1")
            case Count():
                self._say(Counted(active=tuple(self._edge.active())))
            case Measure():
                self._measure()
            case Retire():
                self._end_with(self._edge.retire(order.limit))
            case Stop():
                self._end_with(self._edge.stop(order.limit))
            case Hurry():
                self._edge.hurry()
            case _:
                assert_never(order)

    def _begin(self, order: Begin) -> None:
        reactor = self._reactor
        readiness = readiness_of(reactor, reactor, rest_of(reactor))
        self._edge = wired_edge(reactor, readiness, order.nameserver, self._report, order.own_key)
        self._foresight = Foresight(self._edge, reactor.seconds)
        self._recording = Recording(reactor, order.is_daemon, self._edge.record)
        self._beat = Beat(reactor, time.time, self._look, lambda: self._edge.holds_until)
        self._orphan = Orphan(
            reactor, self._edge, self._doorways, self._control, self._began, self._end_with
        )
        self._orphan.handover.open(order.state)

    def _look(self) -> None:
        self._edge.look()
        if self._orphan.is_alone:
            self._orphan.look()
        else:
            self._foresight.look()

    def _publish(self, order: Publish) -> None:
        self._views = patched(self._views, order.sites, order.patches)
        sites = tuple(self._views.values())
        self._snapshot = Snapshot(serial=order.serial, sites=sites)
        self._foresight.apply(self._snapshot)
        self._beat.start()

    def _fit(self, order: Fit, fds: Sequence[int]) -> None:
        self._retire = order.retire
        fresh = (one.key for one in order.openings if one.is_new)
        new = {key: socket.socket(fileno=fd) for key, fd in zip(fresh, fds, strict=True)}
        for sock in new.values():
            sock.setblocking(False)
        self._record(order.log)
        bound = self._doorways.exchange(
            [(one.key, one.listen, one.sites, one.is_given) for one in order.openings], new
        )
        self._edge.open(bound, self._shown(order.papers))

    def _shown(self, papers: tuple[Papers, ...]) -> Certificates:
        sites = {name: view.site for name, view in self._views.items()}
        return self._showcase.certificates(papers, sites)

    def _record(self, to: LogTo) -> None:
        try:
            self._recording.exchange(to, self._recording.open(to))
        except AccessLogFault as fault:
            # The control process could, a moment ago; better none than no service.
            log.error("no access log: {fault}", fault=str(fault))
            self._recording.exchange(replace(to, path=""), None)

    # --- the end ---

    def _end_with(self, over: Deferred[None]) -> None:
        self._is_ending = True
        over.addCallback(lambda _: self._measure())
        over.addCallback(lambda _: self._recording.stop()).addCallback(self._end)

    def _measure(self) -> None:
        if self._lines.say is not None:
            self._say(Measured(numbers=self._edge.numbers()))

    def leave(self) -> None:
        """An operator wants it to go (SIGTERM): not before another one serves in its place."""
        if self._lines.say is not None:
            self._say(Leaving())
        elif not self._is_ending:
            self._end_with(self._edge.retire(self._retire))

    def _end(self, _: object) -> None:
        self._is_ending = True
        if not self._has_ended:
            self._has_ended = True
            self._channel.close()
            if self._orders:
                self._beat.stop()
                self._orphan.handover.close()
            self._reactor.callLater(0, self._reactor.stop)

    def _alone(self) -> None:
        """The control process is gone."""
        self._lines.say = None
        if self._has_ended:
            return
        if not self._doorways.open and not self._is_ending:  # it never served
            self._end(None)
        else:
            self._orphan.begin(self._snapshot)
