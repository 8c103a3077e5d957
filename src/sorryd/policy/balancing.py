"""Who may get a request: tiers of members, what each shall get, and who has room now.

How those share requests that may get them is in round_robin.py, least_conn.py, rendezvous.py
and sticky.py. All of them name members by their indices in the site.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sorryd.model import Health, Value
from sorryd.policy.health import is_offered
from sorryd.policy.slow_start import STEPS
from sorryd.snapshot import MemberView


class Load(Protocol):
    """How busy a member is: see edge/members.py."""

    active: int  # requests in flight
    trying: int  # ... that began while it was on trial
    limit: int  # most requests at once; 0: no limit

    @property
    def is_full(self) -> bool:
        """Whether `limit` is reached."""


class Request(Protocol):
    """What is asked here of a request's head.

    `sticky` is the value of the site's sticky cookie, b"" where there is none; None until that
    was looked for, and taken out of `lines`.
    """

    lines: list[bytes]
    host_at: int
    sticky: bytes | None


class Balancer(Protocol):
    """Picks a member for each request.

    `tried` are those that the request was sent to already, `client` is the address that it
    comes from, as far as that is believed.
    """

    offers: Offers

    def pick(self, tried: Collection[int], head: Request, client: str) -> int | None:
        """The member that shall have the request; None where nobody can take it now."""

    def own(self, tried: Collection[int], head: Request, client: str) -> int | None:
        """The member that the request waits for while it is full.

        None: whoever has room first is as good.
        """


class Plan(Value, frozen=True):
    """Who may get a request, by indices into the members of a site.

    `primary` and `standby` are up and share by weight; `trial` and `standby_trial` have
    rested and get one request at a time. Whoever is in none of them gets no new request.
    """

    primary: tuple[int, ...] = ()
    trial: tuple[int, ...] = ()
    standby: tuple[int, ...] = ()
    standby_trial: tuple[int, ...] = ()


def tiers(views: Sequence[MemberView]) -> Plan:
    """Sort members into tiers.

    Those in drain or maintenance, of weight 0, resting or down are in none, as in HAProxy.
    """

    def those(standby: bool, health: Health) -> tuple[int, ...]:
        return tuple(
            index
            for index, view in enumerate(views)
            if view.member.standby is standby and view.health is health and is_offered(view)
        )

    return Plan(
        primary=those(False, Health.UP),
        trial=those(False, Health.TRIAL),
        standby=those(True, Health.UP),
        standby_trial=those(True, Health.TRIAL),
    )


def shares(views: Sequence[MemberView]) -> tuple[int, ...]:
    """What each member shall get, in proportion: its weight, less while it starts slowly.

    Where one does, all are counted finer, so that it may get less than 1 in weight. At least 1
    where the weight is not 0, as in HAProxy.
    """
    if all(view.ramp == 1.0 for view in views):
        return tuple(view.weight for view in views)
    return tuple(view.weight and max(1, round(view.weight * view.ramp * STEPS)) for view in views)


class Offers:
    """Who can take a request now: the plan of a snapshot, and the load of each moment.

    A member on trial comes first, so that its return is noticed at once, one request at a time;
    then those up; then standby members up; then standby members on trial. A full member holds
    its place: for the time that it is full nobody of a later tier takes over.
    """

    __slots__ = ("_loads", "is_limited", "is_plain", "plan")

    def __init__(self, plan: Plan, loads: Sequence[Load]) -> None:
        self.plan = plan
        self._loads = loads
        self.is_limited = any(load.limit for load in loads)
        self.is_plain = not (self.is_limited or plan.trial)
        """Whether nothing but the plan decides over a request that was not sent yet."""

    def due(self, tried: Collection[int]) -> tuple[int, ...]:
        """Those who share a request that was sent to `tried` already; none where they are full.

        The tier itself, as it is in the plan, where nobody of it is left out.
        """
        plan = self.plan
        if plan.trial and (index := self._free_trial(plan.trial, tried)) is not None:
            return (index,)
        for tier in (plan.primary, plan.standby):
            left = tuple([index for index in tier if index not in tried]) if tried else tier
            if left:
                return self._with_room(left) if self.is_limited else left
        index = self._free_trial(plan.standby_trial, tried)
        return () if index is None else (index,)

    def is_free(self, index: int) -> bool:
        """Whether a member on trial has no request of that kind in flight."""
        return self._loads[index].trying == 0

    def is_full(self, index: int) -> bool:
        """Whether a member has as many requests as it may get at once."""
        return self._loads[index].is_full

    def is_anybody_full(self, tried: Collection[int]) -> bool:
        """Whether one who may get the request, and was not tried, is full just now."""
        plan = self.plan
        return self.is_limited and any(
            index not in tried and self._loads[index].is_full
            for tier in (plan.primary, plan.trial, plan.standby, plan.standby_trial)
            for index in tier
        )

    def _free_trial(self, tier: tuple[int, ...], tried: Collection[int]) -> int | None:
        for index in tier:
            load = self._loads[index]
            if not (load.trying or load.is_full or index in tried):
                return index
        return None

    def _with_room(self, tier: tuple[int, ...]) -> tuple[int, ...]:
        loads = self._loads
        left = tuple([index for index in tier if not loads[index].is_full])
        return tier if len(left) == len(tier) else left
