"""All edges of a daemon: one in this process, or several in processes of their own.

The rest of the control side knows no other. What it publishes goes to every worker; it is in
force when `settled` fires.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from msgspec.structs import replace
from twisted.internet.defer import Deferred, gatherResults

from sorryd.model import Config
from sorryd.numbers import EdgeNumbers
from sorryd.policy.shares import Share
from sorryd.policy.totals import together
from sorryd.reports import Active, ShownCertificate, WorkerSeen
from sorryd.snapshot import Snapshot
from sorryd.workers.interfaces import Certificates, Outfit, Worker
from sorryd.workers.meter import Ledger


class Fleet:
    """Mutable: it has the workers of now, and those that have been replaced but still serve.

    `local` makes an edge in this process, `remote` one in a process of its own. What those had
    counted that have ended is in the `ledger`.
    """

    def __init__(
        self,
        local: Callable[[], Worker],
        remote: Callable[[Share], Worker],
        ledger: Ledger | None = None,
    ) -> None:
        self._ledger = ledger or Ledger()
        self._local = local
        self._remote = remote
        self._workers: list[Worker] = []
        self._leaving: list[Worker] = []
        self._is_local = True
        self._is_stopping = self._has_left = False
        self._snapshot: Snapshot | None = None
        self._outfit: Outfit | None = None
        self._certificates: Certificates = {}
        self._has_moved = False
        self._vacated: list[Deferred[None]] = []  # wait for edges here to be gone
        self._unserved: list[Deferred[None]] = []  # wait for all workers to serve

    # --- from the control side ---

    def apply(self, snapshot: Snapshot) -> None:
        """Serve by `snapshot` from now on."""
        self._snapshot = snapshot
        for worker in self._all:
            worker.apply(snapshot)

    def fit(self, outfit: Outfit) -> None:
        """Serve by another configuration, which is published: with its workers and sockets.

        Workers that are too many go on until those that stay serve so, and then retire.
        """
        self._outfit, self._certificates = outfit, outfit.certificates
        if self._snapshot is not None:
            self._ledger.forget(self._snapshot)
        surplus = self._resize(outfit.config)
        for worker in (*self._workers, *surplus):
            worker.fit(outfit)
        if surplus:
            self.supersede(surplus)

    def _resize(self, config: Config) -> list[Worker]:
        """Have as many workers as `config` asks for; those that are too many."""
        is_local, wanted = config.workers == 0, max(1, config.workers)
        kept = self._workers[:wanted] if is_local is self._is_local else []
        surplus = [worker for worker in self._workers if worker not in kept]
        before, self._workers, self._is_local = self._workers, kept, is_local
        for number, worker in enumerate(kept, 1):
            worker.share = Share(number=number, of=wanted)
        while len(kept) < wanted:
            share = Share(number=len(kept) + 1, of=wanted)
            kept.append(self._local() if is_local else self._remote(share))
        if self._snapshot is not None and before != kept:
            for worker in kept:
                worker.apply(self._snapshot)
        return surplus

    def replace(self, old: Worker) -> None:
        """Have another one in the place of `old`, which goes on until that serves."""
        if old not in self._workers or self._snapshot is None or self._outfit is None:
            return
        fresh = self._remote(old.share)
        self._workers[self._workers.index(old)] = fresh
        fresh.apply(self._snapshot)
        fresh.fit(self._outfit._replace(certificates=self._certificates))
        self.supersede([old])

    def vacate(self) -> Deferred[None]:
        """Have no edge in this process: a worker takes its place. Fires when that is so.

        What is in flight in it has the time that who retires gets.
        """
        if self._is_local:
            self._has_moved = True
            self._fit_with(1)
        vacated: Deferred[None] = Deferred()
        self._vacated.append(vacated)
        self._left_here()
        return vacated

    def move_back(self) -> None:
        """Have an edge in this process again, if `vacate` let a worker take its place."""
        has_moved, self._has_moved = self._has_moved, False
        if has_moved:
            self._fit_with(0)

    def _fit_with(self, workers: int) -> None:
        assert self._outfit is not None
        config = replace(self._outfit.config, workers=workers)
        self.fit(Outfit(config, self._outfit.bound, self._certificates))

    @property
    def retire(self) -> float:
        """Seconds that who retires gets."""
        return 0.0 if self._outfit is None else self._outfit.config.retire

    def _left_here(self) -> None:
        if not self.is_local:
            vacated, self._vacated = self._vacated, []
            for one in vacated:
                one.callback(None)

    def supersede(self, old: Sequence[Worker]) -> Deferred[None]:
        """Let `old` retire, and fire, when all others serve: until then they go on."""
        self._leaving += old
        if self._snapshot is not None:
            for worker in old:
                worker.apply(self._snapshot)
        return self.served().addCallback(self._retire, old)

    def _retire(self, _: None, old: Sequence[Worker]) -> None:
        for worker in old if not self._is_stopping else ():
            worker.retire(self.retire).addCallback(self._left, worker)

    def _left(self, _: None, worker: Worker) -> None:
        if worker in self._leaving:
            self._leaving.remove(worker)
            self._left_here()

    def show(self, certificates: Certificates) -> None:
        """Show these to who comes from now on."""
        self._certificates = certificates
        for worker in self._all:
            worker.show(certificates)

    def reopen(self) -> None:
        """The access log was moved away."""
        for worker in self._all:
            worker.reopen()

    def look(self) -> None:
        """Time has passed."""
        for worker in self._all:
            worker.look()
        self._look_who_serves(None)

    # --- to the control side ---

    def settled(self) -> Deferred[None]:
        """Fires when nobody is served but by all that was said until now.

        It never does once the workers were left: what they go by nobody here knows any more.
        """
        return gatherResults(worker.settled() for worker in self._all).addCallback(self._or_never)

    def _or_never(self, _: object) -> Deferred[None] | None:
        return Deferred() if self._has_left else None

    def fitted(self) -> Deferred[None]:
        """Fires when all serve so, but for those that have died."""
        return gatherResults(worker.fitted() for worker in self._all).addCallback(_nothing)

    def served(self) -> Deferred[None]:
        """Fires when every worker serves as `fit` said last: one that dies is waited for.

        It is found out within a second, by `look`.
        """
        served: Deferred[None] = Deferred()
        self._unserved.append(served)
        self.fitted().addCallback(self._look_who_serves)
        return served

    def _look_who_serves(self, _: None) -> None:
        if self._unserved and not self.missing:
            unserved, self._unserved = self._unserved, []
            for one in unserved:
                one.callback(None)

    @property
    def missing(self) -> Sequence[int]:
        """The numbers of workers that do not serve as `fit` said last, now."""
        return [worker.share.number for worker in self._workers if not worker.serves]

    @property
    def serves(self) -> bool:
        """Whether visitors are served by anybody."""
        return any(worker.serves for worker in self._all)

    def workers(self) -> Sequence[WorkerSeen]:
        """The workers by their numbers, and those that are leaving; of edges here nothing."""
        return [seen for worker in self._all if (seen := worker.seen) is not None]

    def active(self) -> Deferred[Sequence[Active]]:
        """Requests in flight at each member of each site, in all workers."""
        counted = gatherResults(worker.active() for worker in self._all)
        return counted.addCallback(lambda each: tuple(chain.from_iterable(each)))

    def numbers(self) -> Deferred[EdgeNumbers]:
        """What is counted by all workers, and was by those before them; and what is so now."""

        def together_now(_: object) -> EdgeNumbers:
            # All at once: of one that ended meanwhile, the ledger has it.
            return together((*(worker.numbers for worker in self._all), self._ledger.past))

        return gatherResults(worker.measure() for worker in self._all).addCallback(together_now)

    def shown(self) -> Sequence[ShownCertificate]:
        """The certificates that visitors are shown."""
        return [shown for one in self._certificates.values() for shown in one.shown]

    # --- stopping ---

    def stop(self, limit: float) -> Deferred[None]:
        """Accept no more; fires when all that is in flight is over, or after `limit` seconds."""
        self._is_stopping = True
        return gatherResults(worker.stop(limit) for worker in self._all).addCallback(_nothing)

    @property
    def is_local(self) -> bool:
        """Whether an edge in this process serves, be it one that is leaving."""
        return any(worker.is_here for worker in self._all)

    def leave(self) -> None:
        """Leave all workers to themselves, for another control process to come."""
        self._is_stopping = self._has_left = True
        for worker in self._all:
            worker.leave()

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""
        for worker in self._all:
            worker.hurry()

    @property
    def _all(self) -> tuple[Worker, ...]:
        return (*self._workers, *self._leaving)


def _nothing(_: object) -> None:
    return None
