"""What the daemon observes by itself and writes into its history, as frozen values.

Instants and durations are model.py's. Each is the `fact` of one line of the history, which says
when, and of which site, window and member.
"""

from __future__ import annotations

from sorryd.model import Cause, Health, Phase, Value
from sorryd.window import Author, Saying


class PhaseTurned(Value, frozen=True, kw_only=True, tag="phase"):
    """A site's phase, or what it is down for, is another than before.

    `event` is a word of `policy.lifecycle.Event`, None where only the cause is another one.
    `deadline` is the instant at which the phase turns by itself, if nothing happens before; None
    where it does not. `start` and `until` are those of the down-time, in ``announced`` of the
    one to come; `until` None is open-ended. `planner` is who made its window.
    """

    before: Phase
    after: Phase
    event: str | None = None
    was: Cause | None = None
    cause: Cause | None = None
    deadline: float | None = None
    start: float | None = None
    until: float | None = None
    until_text: str | None = None
    reasons: tuple[Saying, ...] = ()
    planner: Author | None = None


class HealthTurned(Value, frozen=True, kw_only=True, tag="health"):
    """A member is up, or no longer; `why` is empty for what is no failure."""

    before: Health
    after: Health
    why: str = ""


class MembersTurned(Value, frozen=True, kw_only=True, tag="members"):
    """No member of a site in service is up since the instant `since`, which nobody planned.

    Or one is again, since the instant `back`. `phase` and `cause` are the site's.
    """

    since: float
    back: float | None = None
    why: str = ""
    phase: Phase = Phase.LIVE
    cause: Cause | None = None


class DownReminded(Value, frozen=True, kw_only=True, tag="reminder"):
    """A site is down without an end since the instant `since`, for longer than `limit` seconds."""

    since: float
    limit: float
    cause: Cause | None = None
    reasons: tuple[Saying, ...] = ()
    planner: Author | None = None


class HookFailed(Value, frozen=True, kw_only=True, tag="hook"):
    """A hook was not told of the event `seq`, and will not be: `tries` were in vain."""

    hook: str
    seq: int
    tries: int
    why: str


Fact = PhaseTurned | HealthTurned | MembersTurned | DownReminded | HookFailed
