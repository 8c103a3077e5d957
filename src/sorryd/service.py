"""The only place that wires: a service of all the parts, for ``twistd sorryd``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from sorryd.access_log import AccessLogFault
from sorryd.alarm import Alarm
from sorryd.control.commands import Commands
from sorryd.control.listening import ControlPort, ControlSocketError, control_gid, listen_control
from sorryd.control.permission import Permission
from sorryd.control.server import ControlFactory
from sorryd.control.subscriptions import Subscriptions
from sorryd.control.telling import deed
from sorryd.control.truth import Clocks, Truth
from sorryd.edge.cookie_key import CookieKeyFault, cookie_key
from sorryd.edge.edge import Edge
from sorryd.edge.listener import Bound, ListenFault
from sorryd.edge.memory import keep_buffers
from sorryd.edge.readiness import readiness_of
from sorryd.edge.renewal import Renewal, Warnings
from sorryd.edge.resolving import resolver_of
from sorryd.edge.tls import TlsFault
from sorryd.given.pages import Given, GivenPages, given
from sorryd.hook_sending import Sending
from sorryd.hooks import Hooks
from sorryd.inherited import Inherited, given_descriptors
from sorryd.journal import Journal, JournalError
from sorryd.model import Config
from sorryd.options import Options
from sorryd.preparing import Fittings, Preparing, certificates_of, own_folder, warn_of_unverified
from sorryd.prober import Prober
from sorryd.reactors import keep_monotonic_time
from sorryd.recording import Recording
from sorryd.reports import Report
from sorryd.signals import answer_reloads, answer_rotations, answer_stops
from sorryd.snapshot import Snapshot
from sorryd.sockets import Place, Sockets
from sorryd.stream import Stream

log = Logger()
T = TypeVar("T")

CERTIFICATES_EVERY: Final = 10.0
"""Seconds between two looks at the files of certificates."""

SHUTDOWN: Final = 30.0
"""Seconds that requests in flight get to finish when sorryd is told to stop."""


MENDABLE: Final = (
    *(ListenFault, TlsFault, AccessLogFault, CookieKeyFault, JournalError, ControlSocketError),
)


class StartError(Exception):
    """sorryd can't start, for a reason that its operator can mend; one line."""


def makeService(options: Options) -> IService:  # twistd looks for this name
    """All of sorryd as one service; nothing is opened before it is started."""
    from twisted.internet import reactor

    keep_monotonic_time(reactor)
    sys.excepthook = _without_start_errors
    sys.setswitchinterval(0.0005)  # what a thread works out holds visitors up by that at most
    whole = MultiService()
    Sorryd(options.configuration, reactor, options.is_daemon).setServiceParent(whole)
    return whole


def _without_start_errors(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if not issubclass(kind, StartError):  # that one is in the log already
        sys.__excepthook__(kind, error, trace)


class Sorryd(Service):
    """The daemon. Sockets, threads and files are opened here, after twistd has forked."""

    name = "sorryd"

    def __init__(self, config: Config, reactor: Any, is_daemon: bool) -> None:
        self._config = config  # that of the start
        self._reactor = reactor
        self._is_daemon = is_daemon
        self._sockets = Sockets(Inherited(given_descriptors(os.environ, os.getpid())))
        self._bound: Mapping[Place, Bound] = {}  # at the start
        self._renewing = LoopingCall(self._look_at_certificates)
        self._renewing.clock = reactor
        self._threads = ThreadPool(1, 1, "journal")
        self._journal = Journal(config.state, self._in_thread)
        self._edge: Edge | None = None
        self._control: ControlPort | None = None
        self._is_stopping = False

    def _in_thread(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        return deferToThreadPool(self._reactor, self._threads, function, *args)

    # --- starting ---

    def privilegedStartService(self) -> None:
        super().privilegedStartService()
        self._or_say_why(self._bind)

    def startService(self) -> None:
        super().startService()
        self._or_say_why(self._start)

    def _or_say_why(self, step: Callable[[], None]) -> None:
        try:
            step()
        except MENDABLE as why:
            self._let_go()
            log.critical("sorryd can't start: {why}", why=str(why))
            raise StartError(str(why)) from None
        except Exception:
            # A bug, which twistd tells of; what was opened would keep the process half alive.
            self._let_go()
            raise

    def _let_go(self) -> None:
        self._sockets.use({})
        self._sockets.drop(self._bound)
        if self._control is not None:
            self._control.stop()
        if self._threads.started:
            self._threads.stop()
        self._journal.close()

    def _bind(self) -> None:
        self._bound = self._sockets.begin(self._config.sites)

    def _start(self) -> None:
        reactor = self._reactor
        keep_buffers()
        self._journal.open()
        certificates = certificates_of(self._config)
        found = given(self._config.sites, own_folder(self._config), time.time())
        edge = self._open_edge()
        log_file = self._recording.open(self._config)
        self._open_truth(found)
        self._open_control(edge)
        self._threads.start()
        self._alarm.start()  # which looks at once: the edge has its first snapshot
        self._fit(Fittings(self._config, self._bound, certificates, log_file, found))
        self._renewing.start(CERTIFICATES_EVERY, now=False)
        answer_reloads(reactor, self._commands.reload)
        answer_rotations(reactor, self._recording.reopen)
        reactor.callWhenRunning(self._up)

    def _open_edge(self) -> Edge:
        config, reactor = self._config, self._reactor
        self._own_key = cookie_key(own_folder(config))
        edge = self._edge = Edge(
            reactor,
            resolver_of(reactor, config.nameserver),
            readiness_of(reactor, reactor),
            time.time,
            time.monotonic,
            self._report,
            self._own_key,
        )
        self._prober = Prober(reactor, edge.connector, self._report)
        self._renewal = Renewal(own_folder(config), edge.show)
        self._warnings = Warnings()
        self._recording = Recording(reactor, self._is_daemon, edge.record)
        return edge

    def _open_truth(self, found: Given) -> None:
        self._alarm = Alarm(self._reactor, time.time, self._look)
        self._truth = Truth(
            self._config,
            self._journal.load(),
            self._journal,
            Clocks(wall=time.time, monotonic=time.monotonic),
            self._publish,
            self._alarm.wake_at,
            found.files,
            found.fetched,
        )
        self._given = GivenPages(
            self._reactor,
            own_folder(self._config),
            time.time,
            self._truth.find_file,
            self._truth.fetch_page,
        )

    def _up(self) -> None:
        answer_stops(self._reactor, self._stop)
        log.info("sorryd is up, with {control}", control=self._config.control)

    def _open_control(self, edge: Edge) -> None:
        config, reactor = self._config, self._reactor
        served = self._sockets, self._recording, lambda: self._renewal.certificates
        self._preparing = Preparing(reactor, *served, self._fit, time.time)
        stream = Stream(self._journal)
        self._hooks = Hooks(reactor, stream, Sending(reactor, self._own_key, time.time), time.time)
        aside = partial(deferToThreadPool, reactor, reactor.getThreadPool())
        self._commands = Commands(
            self._truth, self._journal, stream, edge, self._preparing, self._own_key, aside=aside
        )
        gid = control_gid(config.control_group)
        permission = Permission(uid=os.geteuid(), gid=gid)
        subscriptions = Subscriptions(stream, lambda entry: deed(entry, self._truth.config))
        self._factory = ControlFactory(reactor, self._commands.execute, permission, subscriptions)
        self._control = listen_control(
            reactor, config.control, config.control_mode, gid, self._factory
        )

    # --- running ---

    def _fit(self, fittings: Fittings) -> None:
        """Accept visitors as a configuration has it; the truth has it already."""
        assert self._edge is not None
        self._sockets.use(fittings.bound)
        self._recording.exchange(fittings.config, fittings.log)
        self._given.use(fittings.config.sites, fittings.given)  # before a visitor can come in
        self._edge.open(fittings.bound.values(), fittings.certificates)
        self._renewal.watch(fittings.config.sites, fittings.certificates)
        self._hooks.use(fittings.config)
        self._look_at_certificates()
        warn_of_unverified(fittings.config)

    def _look_at_certificates(self) -> None:
        now = time.time()
        try:
            self._renewal.look(now)
            self._warnings.look(self._renewal.certificates, now)
        except Exception:
            log.failure("a bug in the renewal of certificates; it goes on")

    def _publish(self, snapshot: Snapshot) -> None:
        assert self._edge is not None
        self._edge.apply(snapshot)
        self._prober.apply(snapshot)

    def _report(self, report: Report) -> None:
        try:
            self._truth.report(report)
        except Exception:
            # A visitor's request is on the stack: it must not be left without an end.
            log.failure("a bug on the control side; the report is lost")

    def _look(self) -> None:
        assert self._edge is not None
        self._truth.look()
        self._edge.look()

    # --- stopping ---

    def _stop(self, signal_name: str) -> None:
        """Stop; asked again, stop without waiting for what is in flight."""
        if not self._is_stopping:
            self._is_stopping = True
            log.info("{name}: sorryd stops", name=signal_name)
            self._reactor.stop()
        elif self._edge is not None:
            log.info("{name} again: sorryd waits no longer", name=signal_name)
            self._edge.hurry()
            self._hooks.hurry()

    @inlineCallbacks
    def stopService(self) -> Any:
        """Accept no more, finish what is in flight within `SHUTDOWN` seconds, and close."""
        yield super().stopService()
        if self._edge is None or self._control is None:
            return
        log.info("no new connections; requests in flight may finish")
        self._preparing.stop()
        self._factory.finish()
        self._prober.stop()
        self._given.stop()
        if self._renewing.running:
            self._renewing.stop()
        yield self._control.stop()
        told = self._hooks.stop(SHUTDOWN)
        yield self._edge.stop(SHUTDOWN)
        yield told
        yield self._recording.stop()
        self._alarm.stop()
        self._threads.stop()
        self._journal.close()
        log.info("sorryd has stopped")
