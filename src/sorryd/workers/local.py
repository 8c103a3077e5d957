"""The edge in this process: what is said to it is in force at once."""

from __future__ import annotations

from collections.abc import Sequence
from socket import socket

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from sorryd.edge.edge import Edge
from sorryd.numbers import EdgeNumbers
from sorryd.policy.shares import Share, mine
from sorryd.reports import Active
from sorryd.snapshot import Snapshot
from sorryd.workers.doorways import Doorways
from sorryd.workers.interfaces import Certificates, Outfit
from sorryd.workers.meter import Ledger

log = Logger()


class Local:
    """See interfaces.Worker."""

    share = Share()
    seen = None
    is_here = True

    def __init__(self, edge: Edge, ledger: Ledger) -> None:
        self.edge = edge
        self._ledger = ledger
        self._is_over = False
        self._unfitted: Outfit | None = None
        self._doorways = Doorways(is_shared=False)

    def apply(self, snapshot: Snapshot) -> None:
        self.edge.apply(mine(snapshot, self.share))

    def fit(self, outfit: Outfit) -> None:
        try:
            new = self._duplicates(outfit)
        except OSError as why:
            log.error("sites can't be listened at: {why}", why=str(why.strerror).lower())
            self._unfitted = outfit
            return
        self._unfitted = None
        bound = self._doorways.exchange(
            [(one.key, one.listen, one.sites, one.is_given) for one in outfit.bound], new
        )
        self.edge.open(bound, outfit.certificates)

    def _duplicates(self, outfit: Outfit) -> dict[int, socket]:
        """Of those sockets that are new. Raises OSError where no descriptor is left."""
        new: dict[int, socket] = {}
        try:
            for one in outfit.bound:
                if not self._doorways.has(one.key):
                    new[one.key] = one.sock.dup()
        except OSError:
            for sock in new.values():
                sock.close()
            raise
        return new

    @property
    def serves(self) -> bool:
        return self._unfitted is None

    def show(self, certificates: Certificates) -> None:
        self.edge.show(certificates)

    def reopen(self) -> None:
        """The access log is the control side's."""

    def look(self) -> None:
        if self._unfitted is not None:
            self.fit(self._unfitted)
        self.edge.look()

    def settled(self) -> Deferred[None]:
        return succeed(None)

    def fitted(self) -> Deferred[None]:
        return succeed(None)

    def active(self) -> Deferred[Sequence[Active]]:
        return succeed(self.edge.active())

    @property
    def numbers(self) -> EdgeNumbers:
        return EdgeNumbers() if self._is_over else self.edge.numbers()

    def measure(self) -> Deferred[EdgeNumbers]:
        return succeed(self.numbers)

    def retire(self, limit: float) -> Deferred[None]:
        return self.edge.retire(limit).addCallback(self._over)

    def stop(self, limit: float) -> Deferred[None]:
        return self.edge.stop(limit).addCallback(self._over)

    def _over(self, _: None) -> None:
        if not self._is_over:
            self._ledger.keep(self.edge.numbers())
            self._is_over = True

    def leave(self) -> None:
        raise AssertionError("it ends with this process")

    def hurry(self) -> None:
        self.edge.hurry()
