"""The results of the control protocol. `messages` has the requests, `errors` the refusals.

Times are RFC 3339 with an offset, durations are seconds.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from msgspec import field

from sorryd.model import Cause, Health, MemberState, Phase, Value
from sorryd.replies_bypass import BypassResult
from sorryd.replies_history import AuthorResult, HistoryResult, SubscribeResult
from sorryd.replies_numbers import NumbersResult
from sorryd.replies_plan import Planned, PlanResult
from sorryd.window import GiveUp, Scope


class WindowPhase(enum.StrEnum):
    """Where a window stands. While it acts it bears the name of the site's phase it causes."""

    SCHEDULED = "scheduled"  # to come, and not yet announced
    ANNOUNCED = "announced"
    DRAINING = "draining"
    DOWN = "down"
    VERIFYING = "verifying"
    ENDED = "ended"  # its time is over, or it was ended by hand
    CANCELLED = "cancelled"  # taken back before it began


class InstanceResult(Value, frozen=True, kw_only=True):
    """The instance of a series that is open, or the next one."""

    id: str
    from_: str = field(name="from")
    until: str | None


class WindowResult(Value, frozen=True, kw_only=True):
    """A window. `drain` null is the site's; `until` null is open-ended.

    With `every`, an RRULE, it is a series: `from` and `until` are those of its first instance,
    `next` is the one that is open or comes next, and `phase` is that one's. `series` is the id of
    the series that an instance belongs to.

    `reasons` are by language. `verified` and `gave_up` say when the members were found healthy,
    or were not in time; `ended` when it was over, or was cancelled.
    """

    id: str
    site: str | None
    from_: str = field(name="from")
    until: str | None
    reason: str
    every: str | None = None
    timezone: str
    drain: float | None = None
    until_healthy: float | None = None
    give_up: GiveUp | None = None
    scope: Scope = Scope()
    warnings: tuple[str, ...] = ()
    phase: WindowPhase
    author: AuthorResult
    created: str
    series: str | None = None
    next: InstanceResult | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    verified: str | None = None
    gave_up: str | None = None
    ended: str | None = None


class DryRunResult(WindowResult, frozen=True, kw_only=True):
    """The window as it would be; `plan` has it, or the next instances of a series."""

    plan: tuple[Planned, ...] = ()


class MemberStatus(Value, frozen=True, kw_only=True):
    """A member within its site. `active` counts its requests in flight."""

    url: str
    weight: int
    standby: bool
    state: MemberState
    health: Health
    active: int


class CertificateStatus(Value, frozen=True, kw_only=True):
    """A certificate that the site shows. `warning` is empty, or says that it ends soon."""

    file: str
    names: tuple[str, ...]
    expires: str
    warning: str = ""


class StretchResult(Value, frozen=True, kw_only=True):
    """A time to come in one phase, by the windows that there are; `window` governs it.

    `partial`: windows act on a part of the site meanwhile.
    """

    from_: str = field(name="from")
    until: str
    phase: Phase
    window: str | None = None
    partial: bool = False


class SiteStatus(Value, frozen=True, kw_only=True):
    """A site. `window` is the one that holds it down, `next` the next one to come.

    `until` is an RFC 3339 time, or null while the end is not known. `until_text` is the end
    in the operator's own words, where it was given as no time. `warnings` are for the operator.
    `partial` are the windows that act on a part of it: paths, methods or members.
    """

    name: str
    phase: Phase
    cause: Cause | None
    reason: str
    until: str | None
    until_text: str | None = None
    window: WindowResult | None
    next: WindowResult | None
    members: tuple[MemberStatus, ...]
    certificates: tuple[CertificateStatus, ...] = ()
    ahead: tuple[StretchResult, ...] = ()  # without gaps, from now on, where it is asked for
    warnings: tuple[str, ...] = ()
    partial: tuple[WindowResult, ...] = ()


class WorkerStatus(Value, frozen=True, kw_only=True):
    """A process that serves visitors. While there is none, `pid` and `since` are null.

    `restarts` counts its deaths, `restarted` is when the last one was. One that is `leaving`
    finishes what is in flight; another one may have its number.
    """

    number: int
    pid: int | None
    since: str | None
    restarts: int
    restarted: str | None
    leaving: bool = False


class StatusResult(Value, frozen=True, kw_only=True):
    """The daemon, running since it `started`, and its sites; no `workers`: it serves by itself."""

    version: str
    pid: int
    started: str
    now: str
    sites: tuple[SiteStatus, ...]
    workers: tuple[WorkerStatus, ...] = ()


class MemberResult(MemberStatus, frozen=True, kw_only=True):
    """A member after a change, with the name of its site."""

    site: str


class VersionResult(Value, frozen=True, kw_only=True):
    """What runs, and since when: RFC 3339, to the microsecond."""

    version: str
    python: str
    twisted: str
    openssl: str
    started: str


class ReloadResult(Value, frozen=True, kw_only=True):
    """What a reload has changed: names of sites, and `settings`, the keys of ``[sorryd]``.

    A site counts as changed where its section says something else, or where it shows other
    certificates.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    settings: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class UpgradeResult(Value, frozen=True, kw_only=True):
    """An upgrade that begins: what ran until now, and since when; and what runs from then on.

    That answers `within` so many seconds.
    """

    version: str
    started: str
    next_version: str
    within: float


class PreviewResult(Value, frozen=True, kw_only=True):
    """An answer as a visitor would get it, not compressed. `type` is its Content-Type."""

    status: int
    headers: Mapping[str, str]
    body: str
    language: str | None
    type: str
    warnings: tuple[str, ...] = ()


class CalendarResult(Value, frozen=True, kw_only=True):
    """Windows as an iCalendar object (RFC 5545), and how many events it has."""

    calendar: str
    events: int


Result = (
    StatusResult
    | tuple[SiteStatus, ...]  # site.down, site.up
    | WindowResult
    | tuple[WindowResult, ...]  # window.list
    | PlanResult
    | MemberResult
    | VersionResult
    | ReloadResult
    | UpgradeResult
    | HistoryResult
    | SubscribeResult
    | BypassResult
    | PreviewResult
    | CalendarResult
    | NumbersResult
)
