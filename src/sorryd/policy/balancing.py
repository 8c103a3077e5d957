"""Which member gets a request: smooth weighted round robin, trials, standby.

The decision has two halves. `tiers` sorts the members once per snapshot into a frozen
`Plan`; a `Picker` follows that plan on every request. On a quiet day, with nobody on trial
and nothing to try again, a pick is one step along an order worked out before.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Container, Sequence

from sorryd.model import (
    Health,
    MemberState,
    Value,
)
from sorryd.snapshot import (
    MemberView,
)

REMEMBERED_STEPS = 65_536
"""Longest period that a rotation remembers; a longer one is worked out again each time."""

REMEMBERED_ROTATIONS = 8
"""How many sets of members a picker keeps its place in."""


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

    Those in drain or maintenance, of weight 0, or resting are in none, as in HAProxy.
    """

    def those(standby: bool, health: Health) -> tuple[int, ...]:
        return tuple(
            index
            for index, view in enumerate(views)
            if view.member.standby is standby and view.health is health and _is_offered(view)
        )

    return Plan(
        primary=those(False, Health.UP),
        trial=those(False, Health.TRIAL),
        standby=those(True, Health.UP),
        standby_trial=those(True, Health.TRIAL),
    )


def _is_offered(view: MemberView) -> bool:
    return view.state is MemberState.READY and view.weight > 0


class Rotation:
    """Smooth weighted round robin over fixed weights, in nginx's order.

    Each step adds to every member its weight, takes the first that has most, and takes the
    sum of all weights from it: weights 5, 1, 1 give a a b a c a a. The order repeats after
    sum(weights) / gcd(weights) steps. It is worked out as it is asked for; once whole it is
    only walked along, whatever the number of members.

    Weights may be 0, never picked; all 0 or a negative one is a ValueError.
    """

    __slots__ = ("_current", "_indices", "_order", "_period", "_weights", "pick")

    pick: Callable[[], int]
    """Take one step: the index of the weight whose turn it is."""

    def __init__(self, weights: Sequence[int]) -> None:
        if not any(weights) or min(weights) < 0:
            raise ValueError(f"weights must be 0 or more, and one of them more: {weights!r}")
        divisor = math.gcd(*weights)
        self._indices = [index for index, weight in enumerate(weights) if weight]
        self._weights = [weights[index] // divisor for index in self._indices]
        self._current = [0] * len(self._weights)
        self._period = sum(self._weights)
        self._order: list[int] = []
        self.pick = self._step if self._period > REMEMBERED_STEPS else self._remembered_step

    def _step(self) -> int:
        current = self._current
        best = 0
        for at, weight in enumerate(self._weights):
            current[at] += weight
            if current[at] > current[best]:
                best = at
        current[best] -= self._period
        return self._indices[best]

    def _remembered_step(self) -> int:
        index = self._step()
        self._order.append(index)
        if len(self._order) == self._period:
            # All of `current` is 0 again, so the order begins anew. An instance attribute
            # that is itself the iterator's next costs no Python frame per request.
            self.pick = itertools.cycle(self._order).__next__
        return index


class Picker:
    """Picks members by a plan, and remembers where each rotation stands.

    Not frozen: every pick moves a rotation on. One per site and process.
    """

    __slots__ = ("_mixed", "_rotations", "_up", "_views", "plan")

    def __init__(
        self,
        plan: Plan,
        views: Sequence[MemberView],
        rotations: dict[tuple[int, ...], Rotation] | None = None,
    ) -> None:
        self.plan = plan
        self._views = tuple(views)
        self._rotations = {} if rotations is None else rotations
        up = plan.primary or plan.standby
        self._up = self._rotation(up) if up else None
        self._mixed = bool(plan.trial) or not up

    def pick(self, busy_trial: Container[str] = (), tried: Collection[int] = ()) -> int | None:
        """The index of the member for a request, or None if nobody is left.

        `busy_trial` holds the URLs of members on trial that have a request in flight,
        `tried` the indices that this request was already sent to. A member on trial goes
        first, so that its return is noticed at once; then those up, by weight; then standby
        members up; then standby members on trial.
        """
        if self._up is not None and not self._mixed and not tried:
            return self._up.pick()
        return self._pick_carefully(busy_trial, tried)

    def following(self, views: Sequence[MemberView]) -> Picker:
        """The picker for a newer snapshot of the same site.

        Itself where nothing changed. Otherwise sets of weights that were in use before go on
        where they stood, so that a member that comes and goes does not send every rotation
        back to its first member.
        """
        if self._views == tuple(views):
            return self
        same = [v.member.url for v in self._views] == [v.member.url for v in views]
        return Picker(tiers(views), views, self._rotations if same else None)

    def _pick_carefully(self, busy: Container[str], tried: Collection[int]) -> int | None:
        plan = self.plan
        index = self._free_trial(plan.trial, busy, tried)
        if index is not None:
            return index
        if self._up is not None and not tried:
            return self._up.pick()
        for tier in (plan.primary, plan.standby):
            left = tuple(index for index in tier if index not in tried)
            if left:
                return self._rotation(left).pick()
        return self._free_trial(plan.standby_trial, busy, tried)

    def _free_trial(
        self, tier: tuple[int, ...], busy: Container[str], tried: Collection[int]
    ) -> int | None:
        for index in tier:
            if index not in tried and self._views[index].member.url not in busy:
                return index
        return None

    def _rotation(self, members: tuple[int, ...]) -> Rotation:
        key = tuple(
            view.weight if index in members else 0 for index, view in enumerate(self._views)
        )
        rotation = self._rotations.get(key)
        if rotation is None:
            if len(self._rotations) >= REMEMBERED_ROTATIONS:
                self._rotations.pop(next(iter(self._rotations)))
            rotation = self._rotations[key] = Rotation(key)
        return rotation
