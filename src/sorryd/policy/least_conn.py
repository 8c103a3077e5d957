"""Least connections: who has the fewest requests in flight, for its weight."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sorryd.policy.balancing import Load, Request
from sorryd.policy.round_robin import RoundRobin


class LeastConn:
    """A balancer: see balancing.Balancer. Those that are even take turns, by weight."""

    __slots__ = ("_loads", "_shares", "_turns", "_up", "offers")

    def __init__(self, turns: RoundRobin, shares: Sequence[int], loads: Sequence[Load]) -> None:
        self.offers = offers = turns.offers
        self._turns = turns
        self._shares = shares
        self._loads = loads
        self._up = (offers.plan.primary or offers.plan.standby) if offers.is_plain else ()

    def pick(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        due = self.offers.due(tried) if tried or not self._up else self._up
        if not due:
            return None
        loads, shares = self._loads, self._shares
        # Exact enough to be compared: quotients of numbers as small as these differ by more
        # than a float leaves out.
        busy = [loads[index].active / shares[index] for index in due]
        least = min(busy)
        even = busy.count(least)
        if even == 1:
            return due[busy.index(least)]
        if even < len(due):
            due = tuple([at for at, load in zip(due, busy, strict=True) if load == least])
        return self._turns.among(due)

    def own(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        return None
