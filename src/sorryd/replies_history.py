"""The control protocol as typed values: lines of the history, which are the events too.

Times are RFC 3339 with an offset, durations are seconds. What `before` and `after` hold says by
its `kind` what it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from sorryd.model import Cause, Health, MemberState, Phase, Value
from sorryd.window import GiveUp, Scope


class AuthorResult(Value, frozen=True, kw_only=True):
    """Who asked, as the kernel said."""

    uid: int
    name: str
    pid: int


class WindowRecord(Value, frozen=True, kw_only=True, tag_field="kind", tag="window"):
    """A window as it was. `reasons` are by language. `manual`: by ``down``, not planned."""

    id: str
    site: str | None
    manual: bool
    from_: str = field(name="from")
    until: str | None
    until_text: str | None
    reason: str
    reasons: Mapping[str, str]
    every: str | None
    timezone: str
    drain: float | None
    until_healthy: float | None
    give_up: GiveUp | None
    scope: Scope
    released: tuple[str, ...]
    ended: str | None
    cancelled: str | None
    verified: str | None
    gave_up: str | None
    author: AuthorResult
    created: str


class MemberRecord(Value, frozen=True, kw_only=True, tag_field="kind", tag="member"):
    """What an operator wanted of a member. `weight` null is the configured one."""

    site: str
    url: str
    state: MemberState
    weight: int | None


class PhaseRecord(Value, frozen=True, kw_only=True, tag_field="kind", tag="phase"):
    """Where a site stood, and the `event` that made it so: null where none is known.

    `deadline` is when the phase turns by itself, if nothing happens before.
    `from` and `until` are those of the down-time, in ``announced`` of the one to come.
    """

    phase: Phase
    cause: Cause | None
    event: str | None = None
    deadline: str | None = None
    from_: str | None = field(name="from", default=None)
    until: str | None = None
    until_text: str | None = None


class HealthRecord(Value, frozen=True, kw_only=True, tag_field="kind", tag="health"):
    """How a member was, and why, where that is a failure."""

    health: Health
    why: str = ""


class OutageRecord(Value, frozen=True, kw_only=True, tag_field="kind", tag="outage"):
    """Since when no member was up, and why; `back` is when one was up again."""

    since: str
    back: str | None
    why: str


class ReminderRecord(Value, frozen=True, kw_only=True, tag_field="kind", tag="reminder"):
    """Since when a site was down without an end, and after how many seconds that is told."""

    since: str
    limit: float


class HookRecord(Value, frozen=True, kw_only=True, tag_field="kind", tag="hook"):
    """The hook that was not told of an event, and why not after so many tries."""

    hook: str
    cursor: int
    tries: int
    why: str


Record = (
    WindowRecord
    | MemberRecord
    | PhaseRecord
    | HealthRecord
    | OutageRecord
    | ReminderRecord
    | HookRecord
)


class HistoryEntry(Value, frozen=True, kw_only=True):
    """One line: `action` is the method that did it, or the word for what the daemon observed.

    `window` and `member` name what it was done to; `detail` says the change in words. `cursor`
    grows from line to line.
    """

    cursor: int
    at: str
    author: AuthorResult | None  # None: the daemon itself
    action: str
    site: str | None
    window: str | None = None
    member: str | None = None
    reason: str = ""
    detail: str = ""
    before: tuple[Record, ...] = ()
    after: tuple[Record, ...] = ()


class HistoryResult(Value, frozen=True, kw_only=True):
    """Lines, oldest first. `more`: there are older ones that were asked for."""

    entries: tuple[HistoryEntry, ...]
    more: bool = False


class SubscribeResult(Value, frozen=True, kw_only=True):
    """Events after `cursor` follow as notifications."""

    cursor: int


class HookMessage(Value, frozen=True, kw_only=True):
    """What a hook is told of one event, as one object; fields may be added, none changes.

    `cursor` names the event: who gets it twice has had it already. `phase` and `before` are the
    site's, null where the event is about a window alone. `planned`: somebody decided it, with a
    window, by hand or by a sorry file. `from` and `until` are those of the down-time, `deadline`
    is when the phase turns by itself. `author` is who made the window, null where there is none.
    """

    event: str
    cursor: int
    site: str
    at: str
    before: Phase | None = None
    phase: Phase | None = None
    cause: Cause | None = None
    transition: str | None = None
    planned: bool = False
    window: str | None = None
    reason: str = ""
    reasons: Mapping[str, str]
    from_: str | None = field(name="from", default=None)
    until: str | None = None
    until_text: str | None = None
    deadline: str | None = None
    author: AuthorResult | None = None
    detail: str = ""
