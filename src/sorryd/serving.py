"""All that meets visitors and members: edges, checks, certificates, the access log. Wired here,
for `service`, which owns the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from weakref import WeakSet

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sorryd.admin.looking import Fails, Knows, Looking
from sorryd.admin.opening import listener
from sorryd.admin.port import AdminPort
from sorryd.doorplates import Doorplate, Doorplates, doorplates
from sorryd.edge.access import Access
from sorryd.edge.reaching import Reaching
from sorryd.edge.readiness import readiness_of
from sorryd.edge.renewal import Renewal, Warnings
from sorryd.edge.resolving import resolver_of
from sorryd.model import Config
from sorryd.policy.shares import Share
from sorryd.preparing import Fittings, own_folder, warn_of_unverified
from sorryd.prober import Prober
from sorryd.reactors import rest_of
from sorryd.recording import Recording, log_of
from sorryd.reports import Report
from sorryd.snapshot import Snapshot
from sorryd.sockets import Sockets
from sorryd.workers.fleet import Fleet
from sorryd.workers.forking import Forks
from sorryd.workers.interfaces import Certificates, Outfit
from sorryd.workers.local import Local
from sorryd.workers.orders import Begin
from sorryd.workers.predecessor import Predecessor
from sorryd.workers.process import BIRTH
from sorryd.workers.remote import Remote
from sorryd.workers.seat import Seat
from sorryd.workers.takeover import Left
from sorryd.workers.wiring import wired_edge

log = Logger()

CERTIFICATES_EVERY: Final = 10.0
"""Seconds between two looks at the files of certificates."""


class NoWorkers(Exception):
    """None of the workers can be started; its str is one line for a person."""


class Serving:
    """Mutable: one per daemon. `report` gets what edges and checks see, `lost` the number of a
    worker that has died."""

    def __init__(
        self,
        config: Config,
        reactor: Any,
        is_daemon: bool,
        own_key: bytes,
        sockets: Sockets,
        report: Callable[[Report], None],
        lost: Callable[[int], None],
    ) -> None:
        self._reactor = reactor
        self._own_key = own_key
        self._report = report
        self._sockets = sockets
        self._nameserver = config.nameserver
        self._access: Access | None = None
        self._before: Sequence[Predecessor] = ()
        self._locals: WeakSet[Local] = WeakSet()  # one that was replaced may still serve
        self._forks = Forks(reactor)
        begin = Begin(
            number=0,
            own_key=own_key,
            state=config.state,
            nameserver=config.nameserver,
            is_daemon=is_daemon,
        )
        self._doorplates = Doorplates()
        self._seat = Seat(reactor, time.time, begin, self._forks.fork, report, lost)
        self.fleet = Fleet(self._local, self._remote, self._seat.ledger)
        self.recording = Recording(reactor, is_daemon, self._record)
        self.admin = AdminPort(reactor, self._tells)
        self._looking: Looking | None = None
        self._is_ready = False
        self.renewal = Renewal(own_folder(config), self.fleet.show)
        self._warnings = Warnings()
        self._renewing = LoopingCall(self._look_at_certificates)
        self._renewing.clock = reactor
        # One for all: who waits a moment for more to happen keeps nobody else waiting.
        self._readiness = readiness_of(reactor, reactor, rest_of(reactor))
        resolver = resolver_of(reactor, config.nameserver)
        self._reaching = Reaching(reactor, resolver, self._readiness, time.monotonic)
        self.prober = Prober(reactor, self._reaching.connector, report)

    # --- edges ---

    def _local(self) -> Local:
        reactor, readiness = self._reactor, self._readiness
        edge = wired_edge(reactor, readiness, self._nameserver, self._report, self._own_key)
        edge.record(self._access)
        local = Local(edge, self._seat.ledger)
        self._locals.add(local)
        return local

    def _remote(self, share: Share) -> Remote:
        return Remote(self._seat, share, self.fleet.replace)

    def _record(self, access: Access | None) -> None:
        self._access = access
        for local in self._locals:
            local.edge.record(access)

    @property
    def kept(self) -> tuple[Sockets, Recording, AdminPort, Callable[[], Certificates]]:
        """What a new configuration takes over, where it can: see Preparing."""
        return self._sockets, self.recording, self.admin, lambda: self.renewal.certificates

    # --- numbers ---

    def tell(self, version: str, truth: Knows, journal: Fails) -> None:
        """What the admin listener tells of beside the edges."""
        self._looking = Looking(version, truth, self.fleet, journal)

    def _tells(self) -> IProtocolFactory:
        assert self._looking is not None
        return listener(self._reactor, self._looking.look, lambda: self._is_ready)

    # --- running ---

    def start(self) -> None:
        """Look at the time from now on."""
        self._reaching.wheel.start()
        self._renewing.start(CERTIFICATES_EVERY, now=False)

    def publish(self, snapshot: Snapshot) -> None:
        """Serve by `snapshot`."""
        self.fleet.apply(snapshot)
        self.prober.apply(snapshot)

    def fit(self, fittings: Fittings) -> Deferred[Sequence[str]]:
        """Accept visitors as a configuration has it, which is published.

        Fires when that is so, with a warning where a worker does not serve by it yet.
        """
        config, plates = fittings.config, doorplates(fittings.bound.values())
        self._sockets.use(fittings.bound)
        self.recording.exchange(log_of(config), fittings.log)
        self._reaching.renew(m for site in config.sites for m in site.members)
        self.fleet.fit(Outfit(config, tuple(fittings.bound.values()), fittings.certificates))
        self.renewal.watch(config.sites, fittings.certificates)
        self._look_at_certificates()
        warn_of_unverified(config)
        self.admin.use(fittings.admin)
        return self.fleet.fitted().addCallback(self._fitted, plates)

    def _fitted(self, _: None, plates: Sequence[Doorplate]) -> Sequence[str]:
        self._sockets.release()
        self._doorplates.show(plates)
        missing = self.fleet.missing
        if not missing:
            return ()
        who = ", ".join(map(str, missing))
        return [f"workers that do not serve by it yet: {who} (see the log)"]

    def started(self) -> Deferred[None]:
        """Fires when all workers serve, or those that do after a while; fails with NoWorkers."""
        served = self.fleet.served().addTimeout(BIRTH, self._reactor, self._late)
        return served.addCallback(self._ready)

    def _late(self, _: object, limit: float) -> None:
        if self.fleet.serves:
            return
        raise NoWorkers(f"no worker serves after {limit:g} s: see the log")

    def _ready(self, _: object) -> None:
        self._is_ready = True

    def succeed(self, left: Sequence[Left]) -> None:
        """Take the place of workers that another control process has left, when ours serve."""
        state = self._seat.begin.state
        self._before = [Predecessor(self._reactor, one, state) for one in left]
        self.fleet.supersede(self._before).addCallback(lambda _: self._sockets.own())

    def spare(self) -> None:
        """Leave those of another control process alone, for there are no others."""
        for worker in self._before:
            worker.leave()

    def reopen(self, signal: str) -> None:
        """The access log was moved away, says a signal."""
        self.recording.reopen(signal)
        self.fleet.reopen()

    def _look_at_certificates(self) -> None:
        now = time.time()
        try:
            self.renewal.look(now)
            self._warnings.look(self.renewal.certificates, now)
        except Exception:
            log.failure("a bug in the renewal of certificates; it goes on")

    # --- stopping ---

    def leave(self) -> Deferred[None]:
        """Leave all workers to themselves, for another control process to come."""
        self._stop_looking()
        self.fleet.leave()
        return self._stopped(None)

    def stop(self, limit: float) -> Deferred[None]:
        """Accept no more; fires when what is in flight is over, or after `limit` seconds."""
        log.info("no new connections; requests in flight may finish")
        self._stop_looking()
        over = self.fleet.stop(limit)
        self._sockets.stop()
        return over.addCallback(self._stopped)

    def _stop_looking(self) -> None:
        self._is_ready = False
        self.prober.stop()
        if self._renewing.running:
            self._renewing.stop()

    def _stopped(self, _: None) -> Deferred[None]:
        self._reaching.wheel.stop()
        gone = self._forks.stop()
        over = self.recording.stop().addCallback(lambda _: self.admin.stop())
        return over.addCallback(lambda _: gone)
