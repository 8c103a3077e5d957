"""The only place that wires: options, the reactor's choice, and a service of all the parts."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, TypeVar

from OpenSSL import SSL
from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.threadpool import ThreadPool

from sorryd.alarm import Alarm
from sorryd.config import ConfigError, load
from sorryd.control.commands import Commands
from sorryd.control.listening import (
    ControlPort,
    ControlSocketError,
    control_gid,
    listen_control,
)
from sorryd.control.permission import Permission
from sorryd.control.server import ControlFactory
from sorryd.control.truth import Clocks, Truth
from sorryd.edge.edge import Bound, Edge
from sorryd.edge.listener import ListenFault, bind
from sorryd.edge.memory import keep_buffers
from sorryd.edge.readiness import readiness_of
from sorryd.edge.self_signed import self_signed
from sorryd.edge.tls import TlsFault, server_context
from sorryd.journal import Journal, JournalError
from sorryd.model import (
    Config,
    Member,
    Site,
)
from sorryd.reports import (
    Report,
)

log = Logger()
T = TypeVar("T")

SHUTDOWN: Final = 30.0
"""Seconds that requests in flight get to finish when sorryd is told to stop."""


class Options(usage.Options):
    """``twistd sorryd``'s own options."""

    optParameters: Final = [["config", "c", None, "The configuration, sorryd.ini"]]
    optFlags: Final = [["check", None, "Check the configuration, say what is wrong, and exit"]]
    longdesc = "A reverse proxy that plans, keeps and ends maintenance on its own."

    configuration: Config

    def postOptions(self) -> None:
        path = self["config"]
        if path is None:
            raise usage.UsageError("--config FILE is missing")
        try:
            self.configuration = load(path)
        except ConfigError as error:
            print(*error.faults, sep="\n", file=sys.stdout if self["check"] else sys.stderr)
            sys.exit(1)
        if self["check"]:
            print(f"{path}: ok")
            sys.exit(0)
        _install_reactor()


def _install_reactor() -> None:
    """Take uvloop where it is there and twistd was not told otherwise (``--reactor``)."""
    if "twisted.internet.reactor" in sys.modules:
        return
    try:
        import uvloop
    except ImportError:
        return
    from twisted.internet import asyncioreactor

    asyncioreactor.install(uvloop.new_event_loop())


class StartError(Exception):
    """sorryd can't start, for a reason that its operator can mend; one line."""


def makeService(options: Options) -> IService:  # twistd looks for this name
    """All of sorryd as one service; nothing is opened before it is started."""
    from twisted.internet import reactor

    # Twisted's timers follow the wall clock; ours must not (docs/architecture.md, Two clocks).
    reactor.seconds = time.monotonic  # type: ignore[method-assign]  # of the instance
    sys.excepthook = _without_start_errors
    whole = MultiService()
    Sorryd(options.configuration, reactor).setServiceParent(whole)
    return whole


def _without_start_errors(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if not issubclass(kind, StartError):  # that one is in the log already
        sys.__excepthook__(kind, error, trace)


def _obey_signals(reactor: Any, asked: Callable[[str], None]) -> None:
    """SIGTERM and SIGINT ask sorryd to stop, which is no failure: it exits with status 0.

    Twisted's own way is to end by the signal, and to log a traceback for the second one.
    """

    def caught(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(asked, signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, caught)


class Sorryd(Service):
    """The daemon. Sockets, threads and files are opened here, after twistd has forked."""

    name = "sorryd"

    def __init__(self, config: Config, reactor: Any) -> None:
        self._config = config
        self._reactor = reactor
        self._bound: list[Bound] = []
        self._threads = ThreadPool(1, 1, "journal")
        self._journal = Journal(config.state, self._in_thread)
        self._edge: Edge | None = None
        self._alarm: Alarm | None = None
        self._control: ControlPort | None = None
        self._factory: ControlFactory | None = None
        self._stopping = False

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
        except (ListenFault, TlsFault, JournalError, ControlSocketError) as why:
            self._let_go()
            log.critical("sorryd can't start: {why}", why=str(why))
            raise StartError(str(why)) from None
        except Exception:
            # A bug, which twistd tells of; what was opened would keep the process half alive.
            self._let_go()
            raise

    def _let_go(self) -> None:
        for one in self._bound:
            one.sock.close()
        if self._control is not None:
            self._control.stop()
        if self._threads.started:
            self._threads.stop()
        self._journal.close()

    def _bind(self) -> None:
        for site in self._config.sites:
            for listen in site.listen:
                self._bound.append(Bound(site.name, listen, bind(listen)))

    def _start(self) -> None:
        config, reactor = self._config, self._reactor
        keep_buffers()
        self._journal.open()
        loaded = self._journal.load()
        contexts = {site.name: _context(config, site) for site in config.sites if site.certificates}
        edge = self._edge = Edge(
            reactor,
            reactor,
            readiness_of(reactor, reactor),
            time.time,
            time.monotonic,
            self._report,
        )
        alarm = self._alarm = Alarm(reactor, time.time, self._look)
        self._truth = Truth(
            config,
            loaded,
            self._journal,
            Clocks(wall=time.time, monotonic=time.monotonic),
            edge.apply,
            alarm.wake_at,
        )
        self._listen_control()
        self._threads.start()
        _warn_of_unverified(config)
        alarm.start()  # which looks at once: the edge has its first snapshot
        edge.start(self._bound, contexts)
        reactor.callWhenRunning(self._up)

    def _up(self) -> None:
        _obey_signals(self._reactor, self._asked_to_stop)
        log.info("sorryd is up, with {control}", control=self._config.control)

    def _listen_control(self) -> None:
        config = self._config
        assert self._edge is not None
        commands = Commands(self._truth, self._journal, self._edge.active)
        gid = control_gid(config.control_group)
        permission = Permission(uid=os.geteuid(), gid=gid)
        self._factory = ControlFactory(self._reactor, commands.execute, permission)
        self._control = listen_control(
            self._reactor, config.control, config.control_mode, gid, self._factory
        )

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

    def _asked_to_stop(self, signal_name: str) -> None:
        """Stop; asked again, stop without waiting for what is in flight."""
        if not self._stopping:
            self._stopping = True
            log.info("{name}: sorryd stops", name=signal_name)
            self._reactor.stop()
        elif self._edge is not None:
            log.info("{name} again: sorryd waits no longer", name=signal_name)
            self._edge.hurry()

    @inlineCallbacks
    def stopService(self) -> Any:
        """Accept no more, finish what is in flight within `SHUTDOWN` seconds, and close."""
        yield super().stopService()
        if self._edge is None:
            return
        log.info("no new connections; requests in flight may finish")
        if self._factory is not None:
            self._factory.finish()
        if self._control is not None:
            yield self._control.stop()
        yield self._edge.stop(SHUTDOWN)
        if self._alarm is not None:
            self._alarm.stop()
        self._threads.stop()
        self._journal.close()
        log.info("sorryd has stopped")


def _context(config: Config, site: Site) -> SSL.Context:
    certificate = site.certificates[0]
    if not certificate.self_signed:
        return server_context(certificate.chain, certificate.key, site.tls_min)
    names = [listen.host for listen in site.listen if listen.tls]
    names.append(socket.gethostname())
    folder = os.path.dirname(config.state)
    chain, key = self_signed(folder, names, stem=f"self-signed-{site.name}")
    return server_context(chain, key, site.tls_min)


def _warn_of_unverified(config: Config) -> None:
    unverified: list[Member] = [
        member
        for site in config.sites
        for member in site.members
        if member.tls is not None and not member.tls.verify
    ]
    for member in unverified:
        log.warn("member {url}: verify=no: anybody could answer for it", url=member.url)
