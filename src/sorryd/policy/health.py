"""The health of one member: a small machine on moments. Pure: no clock, no I/O.

    UP      -- failed -->   RESTING until moment + retry
    RESTING -- rested -->   TRIAL      (its rest is over)
    TRIAL   -- answered --> UP
    TRIAL   -- failed -->   RESTING until moment + retry

What is not drawn changes nothing. So a failure heard of while the member rests does not prolong
the rest: the request was sent before it began, and says nothing new. For the same reason an
answer counts only on trial.
"""

from __future__ import annotations

from collections.abc import Iterable

from sorryd.model import (
    Health,
    MemberState,
    Value,
)
from sorryd.snapshot import (
    MemberView,
)


class Condition(Value, frozen=True, kw_only=True):
    """What is known of a member. `rest_until` is a moment, set while it rests."""

    health: Health = Health.UP
    rest_until: float | None = None


def failed(condition: Condition, retry: float, now: float) -> Condition:
    """The member failed at the moment `now`; it shall rest for `retry` seconds."""
    if condition.health is Health.RESTING:
        return condition
    return Condition(health=Health.RESTING, rest_until=now + retry)


def rested(condition: Condition, now: float) -> Condition:
    """It is the moment `now`: a rest that is over becomes a trial."""
    if condition.rest_until is None or now < condition.rest_until:
        return condition
    return Condition(health=Health.TRIAL)


def answered(condition: Condition) -> Condition:
    """The member gave a whole answer head."""
    if condition.health is Health.TRIAL:
        return Condition(health=Health.UP)
    return condition


def any_up(members: Iterable[MemberView]) -> bool:
    """Whether one of `members` is known to be up, and the operator lets it get requests."""
    return any(
        view.health is Health.UP and view.state is MemberState.READY and view.weight > 0
        for view in members
    )
