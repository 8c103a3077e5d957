"""Least connections: who has the fewest requests in flight, for its weight."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sorryd.policy.balancing import Load, Offers, Request
from sorryd.policy.rotation import turn
from sorryd.policy.round_robin import Places


class LeastConn:
    """A balancer: see balancing.Balancer. Those that are even take turns, by weight."""

    __slots__ = ("_is_plain", "_loads", "_shares", "_standing", "_up", "offers")

    def __init__(
        self, offers: Offers, shares: Sequence[int], places: Places, loads: Sequence[Load]
    ) -> None:
        self.offers = offers
        self._shares = shares
        self._standing = places.standing
        self._loads = loads
        self._is_plain = offers.is_plain
        self._up = offers.plan.primary or offers.plan.standby

    def pick(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        due = self._up if self._is_plain and not tried else self.offers.due(tried)
        if not due:
            return None
        loads, shares = self._loads, self._shares
        # Exact enough to be compared: quotients of numbers as small as these differ by more
        # than a float leaves out.
        busy = [loads[index].active / shares[index] for index in due]
        least = min(busy)
        if busy.count(least) == 1:
            return due[busy.index(least)]
        even = [index for index, load in zip(due, busy, strict=True) if load == least]
        return turn(self._standing, shares, even)

    def own(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        return None
