"""The edge in this process: what is said to it is in force at once."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed

from sorryd.edge.edge import Edge
from sorryd.policy.shares import Share, mine
from sorryd.reports import Active
from sorryd.snapshot import Snapshot
from sorryd.workers.doorways import Doorways
from sorryd.workers.interfaces import Certificates, Outfit


class Local:
    """See interfaces.Worker."""

    share = Share()
    serves = True
    seen = None
    is_here = True

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self._doorways = Doorways(is_shared=False)

    def apply(self, snapshot: Snapshot) -> None:
        self.edge.apply(mine(snapshot, self.share))

    def fit(self, outfit: Outfit) -> None:
        new = {one.key: one.sock.dup() for one in outfit.bound if not self._doorways.has(one.key)}
        bound = self._doorways.exchange(
            [(one.key, one.listen, one.sites, one.is_given) for one in outfit.bound], new
        )
        self.edge.open(bound, outfit.certificates)

    def show(self, certificates: Certificates) -> None:
        self.edge.show(certificates)

    def reopen(self) -> None:
        """The access log is the control side's."""

    def look(self) -> None:
        self.edge.look()

    def settled(self) -> Deferred[None]:
        return succeed(None)

    def active(self) -> Deferred[Sequence[Active]]:
        return succeed(self.edge.active())

    def retire(self, limit: float) -> Deferred[None]:
        return self.edge.retire(limit)

    def stop(self, limit: float) -> Deferred[None]:
        return self.edge.stop(limit)

    def leave(self) -> None:
        raise AssertionError("it ends with this process")

    def hurry(self) -> None:
        self.edge.hurry()
