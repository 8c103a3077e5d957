"""The only place that wires: a service of all the parts, for ``twistd sorryd``."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from sorryd.alarm import Alarm
from sorryd.control.commands import Commands
from sorryd.control.listening import ControlPort, control_gid, listen_control
from sorryd.control.permission import Permission
from sorryd.control.server import ControlFactory
from sorryd.control.subscriptions import Subscriptions
from sorryd.control.telling import deed
from sorryd.control.truth import Clocks, Truth
from sorryd.control.versions import sorryd_version
from sorryd.edge.cookie_key import cookie_key
from sorryd.edge.listener import Bound
from sorryd.given.pages import Given, GivenPages, given
from sorryd.hook_sending import Sending
from sorryd.hooks import Hooks
from sorryd.inherited import restore_variables
from sorryd.journal import Journal
from sorryd.model import Config
from sorryd.options import Options
from sorryd.preparing import Fittings, Preparing, certificates_of, own_folder
from sorryd.privileges import take_identity
from sorryd.program import Program, become
from sorryd.reactors import keep_monotonic_time
from sorryd.recording import log_of
from sorryd.reports import Report
from sorryd.serving import NoWorkers, Serving
from sorryd.signals import Early, answer_reloads, answer_rotations, answer_stops
from sorryd.snapshot import Snapshot
from sorryd.sockets import Place
from sorryd.start_errors import MENDABLE, StartError, keep_out_of_terminal
from sorryd.stream import Stream
from sorryd.supervision import Supervision
from sorryd.upgrading import HOOKS, Upgrading
from sorryd.workers.predecessor import take_over
from sorryd.workers.takeover import Left

log = Logger()
T = TypeVar("T")


def makeService(options: Options) -> IService:  # twistd looks for this name
    """All of sorryd as one service; nothing is opened before it is started."""
    from twisted.internet import reactor

    keep_monotonic_time(reactor)
    keep_out_of_terminal()
    sys.setswitchinterval(0.0005)  # what a thread works out holds visitors up by that at most
    whole = MultiService()
    Sorryd(options.configuration, reactor, options.program).setServiceParent(whole)
    return whole


class Sorryd(Service):
    """The daemon. Sockets, threads and files are opened here, after twistd has forked."""

    name = "sorryd"

    def __init__(self, config: Config, reactor: Any, program: Program) -> None:
        self._config = config  # that of the start
        self._reactor = reactor
        self._program = program
        restore_variables(os.environ)
        self._supervision = Supervision(reactor, os.environ, os.getpid())
        self._sockets = self._supervision.sockets
        self._bound: Mapping[Place, Bound] = {}  # at the start
        self._threads = ThreadPool(1, 1, "journal")
        self._journal = Journal(config.state, self._in_thread)
        self._left: Sequence[Left] = ()  # workers that another control process has left
        self._serving: Serving | None = None
        self._control: ControlPort | None = None
        self._is_stopping = self._is_upgrading = False
        self._early = Early()
        self._early.begin()

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
        self._sockets.release()
        self._sockets.drop(self._bound)
        if self._control is not None:
            self._control.stop()
        if self._threads.started:
            self._threads.stop()
        self._journal.close()

    def _bind(self) -> None:
        self._left = take_over(self._config.state, self._sockets)
        self._bound = self._sockets.begin(self._config.sites)
        take_identity(self._config)

    def _start(self) -> None:
        reactor = self._reactor
        self._journal.open()
        certificates = certificates_of(self._config)
        found = given(self._config.sites, own_folder(self._config), time.time())
        serving = self._open_serving()
        log_file = serving.recording.open(log_of(self._config))
        self._open_truth(found)
        self._open_control(serving)
        self._threads.start()
        self._alarm.start()  # which looks at once: the edge has its first snapshot
        serving.start()
        opened = certificates, log_file, found, serving.admin.bind(self._config.admin)
        fitted = self._fit(Fittings(self._config, self._bound, *opened))
        serving.succeed(self._left)
        answer_reloads(reactor, self._commands.reload)
        answer_rotations(reactor, serving.reopen)
        up = fitted.addCallback(lambda _: serving.started())
        reactor.callWhenRunning(answer_stops, reactor, self._stop)
        reactor.callWhenRunning(self._early.heed)
        reactor.callWhenRunning(up.addCallbacks, self._up, self._give_up)

    def _open_serving(self) -> Serving:
        config = self._config
        self._own_key = cookie_key(own_folder(config))
        kept = self._program.is_daemon, self._own_key, self._sockets
        self._serving = Serving(config, self._reactor, *kept, self._report, self._lost)
        return self._serving

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

    def _give_up(self, failure: Failure) -> None:
        failure.trap(NoWorkers)
        if not self._is_stopping:
            log.critical("sorryd can't start: {why}", why=failure.getErrorMessage())
            assert self._serving is not None
            self._serving.spare()
            atexit.register(os._exit, 1)  # twistd knows of no end that is a failure
            self._reactor.stop()

    def _up(self, _: None) -> None:
        if not self._is_stopping:
            log.info("sorryd is up, with {control}", control=self._config.control)
            self._supervision.up(self._truth)

    def _open_control(self, serving: Serving) -> None:
        config, reactor = self._config, self._reactor
        serving.tell(sorryd_version(), self._truth, self._journal)
        self._preparing = Preparing(reactor, *serving.kept, self._fit, time.time)
        stream = Stream(self._journal)
        self._hooks = Hooks(reactor, stream, Sending(reactor, self._own_key, time.time), time.time)
        aside = partial(deferToThreadPool, reactor, reactor.getThreadPool())
        asked = self._truth, self._journal, stream, serving.fleet, self._preparing, self._own_key
        self._commands = Commands(
            *asked,
            aside=aside,
            hears=self._supervision,
            upgrades=Upgrading(reactor, self._program, aside, serving.fleet, self._upgrade),
        )
        gid = control_gid(config.control_group)
        permission = Permission(uid=os.geteuid(), gid=gid)
        subscriptions = Subscriptions(stream, lambda entry: deed(entry, self._truth.config))
        self._factory = ControlFactory(reactor, self._commands.execute, permission, subscriptions)
        self._control = listen_control(
            reactor, config.control, config.control_mode, gid, self._factory
        )

    # --- running ---

    def _fit(self, fittings: Fittings) -> Deferred[Sequence[str]]:
        """Accept visitors as a configuration has it; the truth has it already."""
        assert self._serving is not None
        self._given.use(fittings.config.sites, fittings.given)  # before a visitor can come in
        fitted = self._serving.fit(fittings)
        self._hooks.use(fittings.config)
        return fitted

    def _publish(self, snapshot: Snapshot) -> None:
        assert self._serving is not None
        self._serving.publish(snapshot)
        self._supervision.look()

    def _lost(self, worker: int) -> None:
        try:
            self._truth.worker_lost(worker)
        except Exception:
            log.failure("a bug on the control side; that a worker is gone is lost")

    def _report(self, report: Report) -> None:
        try:
            self._truth.report(report)
        except Exception:
            # A visitor's request is on the stack: it must not be left without an end.
            log.failure("a bug on the control side; the report is lost")

    def _look(self) -> None:
        assert self._serving is not None
        self._truth.look()
        self._serving.fleet.look()
        self._supervision.look()

    # --- stopping ---

    def _upgrade(self) -> None:
        """Stop, and be what is installed now; workers serve on."""
        if not self._is_stopping:
            self._is_upgrading = True
            self._early.begin()  # for who comes after us
            self._stop("upgrade")

    def _stop(self, signal_name: str) -> None:
        """Stop; asked again, stop without waiting for what is in flight."""
        if not self._is_stopping:
            self._is_stopping = True
            log.info("{name}: sorryd stops", name=signal_name)
            self._reactor.stop()
        elif self._is_upgrading:
            self._early.note_by_name(signal_name)
        elif self._serving is not None:
            log.info("{name} again: sorryd waits no longer", name=signal_name)
            self._serving.fleet.hurry()
            self._hooks.hurry()

    @inlineCallbacks
    def stopService(self) -> Any:
        """Accept no more, finish what is in flight within `shutdown`, and close."""
        yield super().stopService()
        if self._serving is None or self._control is None:
            return
        limit = HOOKS if self._is_upgrading else self._truth.config.shutdown
        self._supervision.stopping(limit, self._is_upgrading)
        self._preparing.stop()
        self._factory.finish()
        self._given.stop()
        yield self._control.stop()
        told = self._hooks.stop(limit)
        yield self._serving.leave() if self._is_upgrading else self._serving.stop(limit)
        yield told
        self._supervision.stop()
        self._alarm.stop()
        self._threads.stop()
        self._journal.close()
        if self._is_upgrading:
            self._early.hold()
            become(self._program)
        log.info("sorryd has stopped")
