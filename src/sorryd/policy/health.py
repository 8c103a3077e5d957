"""The health of one member: a small machine on moments. Pure: no clock, no I/O.

Without a check, requests are all that is known, and one of them is the probe:

    UP      -- request failed -->  RESTING until moment + retry
    RESTING -- rest is over -->    TRIAL
    TRIAL   -- answered -->        UP
    TRIAL   -- request failed -->  RESTING until moment + retry

With a check, no visitor's request is the probe. The counts are of checks in a row:

    UP           -- `fall` checks failed -->                  DOWN
    UP, doubted  -- a check failed -->                        DOWN
    UP           -- a check passed -->                        UP, neither counted nor doubted
    UP           -- request failed, another member is up -->  RESTING for a rest
    UP           -- request failed, no other is -->           UP, doubted
    RESTING      -- `fall` checks failed -->                  DOWN
    RESTING      -- rest is over, and since the failure
                    `rise` checks passed -->                  UP
    DOWN         -- `rise` checks passed -->                  UP
    any          -- maintenance is over -->                   UP, doubted

What is not drawn changes nothing. So a failure heard of while the member rests does not prolong
the rest: the request was sent before it began, and says nothing new. For the same reason an
answer counts only on trial.

At the start members are UP, doubted, as HAProxy's are: they serve at once, and the first check
decides. Its users know the rest by ``observe`` and ``on-error``. To rest is ``mark-down``, and
like that it sees what the checks do not. To be doubted is ``sudden-death``: where nobody else is
there, one bad request, of which a stranger may have many, must not take down a site whose member
passes its checks. `retry` 0 is for those who want no more than that: the checks alone decide.

A member whose checks pass while its requests fail would come and go for ever. So each rest that
follows within `LONGEST_REST` of the return from another is twice as long, up to `LONGEST_REST`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from sorryd.model import Check, Health, MemberState, Value
from sorryd.snapshot import MemberView

LONGEST_REST: Final = 60.0
"""Seconds up to which rests grow, unless `retry` is longer."""


class Condition(Value, frozen=True, kw_only=True):
    """What is known of a member.

    `rest_until` is a moment, set until its rest is over. `fails` and `passes` are checks in a
    row, `passes` only while it is not up. `rest` is how long its last rest was, in seconds, and
    `back` the moment at which it came back from that; 0 and None where it had none, or was down
    since.
    """

    health: Health = Health.UP
    rest_until: float | None = None
    doubted: bool = False
    fails: int = 0
    passes: int = 0
    rest: float = 0.0
    back: float | None = None


def starting(check: Check | None) -> Condition:
    """A member of which nothing is known yet."""
    return Condition(doubted=check is not None)


# --- what requests tell ---


def failed(
    condition: Condition,
    retry: float,
    now: float,
    check: Check | None = None,
    alone: bool = False,
) -> Condition:
    """A request failed at the member at the moment `now`.

    `retry` are the seconds of its rest. `alone`: no other member of the site is up.
    """
    if condition.health is Health.RESTING or condition.health is Health.DOWN:
        return condition
    if check is None:
        return Condition(health=Health.RESTING, rest_until=now + retry)
    if alone or not retry:
        return replace(condition, doubted=True)
    rest = _rest(condition, retry, now)
    return replace(condition, health=Health.RESTING, rest_until=now + rest, rest=rest, back=None)


def _rest(condition: Condition, retry: float, now: float) -> float:
    if condition.back is None or now - condition.back > LONGEST_REST:
        return retry
    return max(retry, min(2 * condition.rest, LONGEST_REST))


def answered(condition: Condition) -> Condition:
    """The member gave a whole answer head."""
    if condition.health is Health.TRIAL:
        return Condition(health=Health.UP)
    return condition


# --- what time tells ---


def rested(condition: Condition, now: float, check: Check | None = None) -> Condition:
    """It is the moment `now`: a rest may be over."""
    if condition.rest_until is None or now < condition.rest_until:
        return condition
    if check is None:
        return Condition(health=Health.TRIAL)
    return _risen(replace(condition, rest_until=None), check, now)


# --- what checks tell ---


def check_passed(condition: Condition, check: Check, now: float) -> Condition:
    """A check found the member well, at the moment `now`."""
    if condition.health is Health.UP:
        return replace(condition, doubted=False, fails=0)
    passes = min(condition.passes + 1, check.rise)
    return _risen(replace(condition, passes=passes, fails=0), check, now)


def check_failed(condition: Condition, check: Check) -> Condition:
    """A check found the member not well."""
    if condition.health is Health.DOWN:
        return replace(condition, passes=0)
    fails = condition.fails + 1
    if condition.doubted or fails >= check.fall:
        return Condition(health=Health.DOWN, fails=fails)
    return replace(condition, fails=fails, passes=0)


def _risen(condition: Condition, check: Check, now: float) -> Condition:
    """A member that is not up is so again when its checks and its rest are over."""
    if condition.passes < check.rise or condition.rest_until is not None:
        return condition
    return Condition(rest=condition.rest, back=now if condition.rest else None)


# --- what operators tell ---


def released(condition: Condition, check: Check | None) -> Condition:
    """The member's maintenance is over: what was known of it from before says little now."""
    return condition if check is None else starting(check)


def adapted(condition: Condition, check: Check | None) -> Condition:
    """`check` is another one than it was, or the first, or there is none any more.

    What is known stays known. Who waited for what does not come any more waits for the other
    thing: a member that is down without a check is tried.
    """
    if check is not None:
        if condition.health is Health.TRIAL:
            return Condition(health=Health.RESTING)
        return condition
    is_lost = condition.health is Health.DOWN or condition.health is Health.RESTING
    if is_lost and condition.rest_until is None:
        return Condition(health=Health.TRIAL)
    return Condition(health=condition.health, rest_until=condition.rest_until)


def is_offered(view: MemberView) -> bool:
    """Whether the operator lets a member get requests."""
    return view.state is MemberState.READY and view.weight > 0


def any_up(members: Iterable[MemberView]) -> bool:
    """Whether one of `members` is known to be up, and the operator lets it get requests."""
    return any(view.health is Health.UP and is_offered(view) for view in members)
