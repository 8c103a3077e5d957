"""The requests of the control protocol. `replies` has the results, `errors` the refusals.

A request is one frozen class per method, its parameters the fields. Unknown fields and wrong
types are refused here; what a well-formed value *means* is for the commands to judge: times (T)
and durations (D) stay strings, because only the daemon knows the zones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta, field

from sorryd.model import Cause, MemberState, Phase, Value
from sorryd.window import GiveUp, Scope

# --- parameters that several requests share ------------------------------------------------

Seconds = Annotated[float, Meta(ge=0)]
Duration = Seconds | str  # a D such as "1h30m", or plain seconds, as results give them
Reason = Annotated[str, Meta(max_length=2000)]
Reasons = Mapping[str, Reason]  # by language (RFC 5646), in place of the reason for its readers
# No "@": "ID@FROM" names one instance of a series.
WindowId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]


# --- requests -------------------------------------------------------------------------------


class Params(Value, frozen=True, forbid_unknown_fields=True):
    """Base of all requests. `changes` says whether one needs leave to change things."""

    method: ClassVar[str]
    changes: ClassVar[bool] = False


class Status(Params, frozen=True, kw_only=True):
    """Phase and members of one site, or of all; and what is `ahead` of them for so long."""

    method: ClassVar[str] = "status"
    site: str | None = None
    ahead: Duration | None = None


class SiteDown(Params, frozen=True, kw_only=True):
    """Maintenance now. `until` and `for` exclude each other; neither is open-ended.

    `until_text` is UNTIL from the caller's environment, used where `until` and `for` are
    absent: a T ends the maintenance; anything else is shown to visitors as it is, and the
    maintenance is open-ended.
    """

    method: ClassVar[str] = "site.down"
    changes: ClassVar[bool] = True
    site: str | None = None
    reason: Reason = ""
    reasons: Reasons | None = None
    until: str | None = None
    for_: Duration | None = field(name="for", default=None)
    drain: Duration | None = None
    until_text: Reason | None = None


class SiteUp(Params, frozen=True, kw_only=True):
    """Back in service: ends a ``down``, and an open window early."""

    method: ClassVar[str] = "site.up"
    changes: ClassVar[bool] = True
    site: str | None = None


class WindowSchedule(Params, frozen=True, kw_only=True):
    """Plan a window, or change the one that bears `id`. One of `until` and `for` is given."""

    method: ClassVar[str] = "window.schedule"
    changes: ClassVar[bool] = True
    from_: str = field(name="from")
    until: str | None = None
    for_: Duration | None = field(name="for", default=None)
    id: WindowId | None = None
    site: str | None = None
    reason: Reason = ""
    reasons: Reasons | None = None
    every: str | None = None
    timezone: str | None = None
    drain: Duration | None = None
    until_healthy: Duration | None = None
    give_up: GiveUp | None = None
    scope: Scope = Scope()
    dry_run: bool = False


class WindowList(Params, frozen=True, kw_only=True):
    """Windows open or to come; with `past`, also those that are over."""

    method: ClassVar[str] = "window.list"
    site: str | None = None
    past: bool = False


class WindowGet(Params, frozen=True, kw_only=True):
    """One window."""

    method: ClassVar[str] = "window.get"
    id: str


class WindowExtend(Params, frozen=True, kw_only=True):
    """Move the end of a window that is open or to come. Exactly one of `until` and `by`."""

    method: ClassVar[str] = "window.extend"
    changes: ClassVar[bool] = True
    id: str
    until: str | None = None
    by: Duration | None = None


class WindowEnd(Params, frozen=True, kw_only=True):
    """End an open window now."""

    method: ClassVar[str] = "window.end"
    changes: ClassVar[bool] = True
    id: str


class WindowCancel(Params, frozen=True, kw_only=True):
    """Take back a window that is to come."""

    method: ClassVar[str] = "window.cancel"
    changes: ClassVar[bool] = True
    id: str


class WindowPlan(Params, frozen=True, kw_only=True):
    """What will happen in the next `days`."""

    method: ClassVar[str] = "window.plan"
    site: str | None = None
    days: Annotated[int, Meta(ge=1, le=366)] = 7


class MemberSet(Params, frozen=True, kw_only=True):
    """Set state or weight (0..256, HAProxy's range) of a member, or both.

    `site` is needed where two sites share the member's URL.
    """

    method: ClassVar[str] = "member.set"
    changes: ClassVar[bool] = True
    url: str
    site: str | None = None
    state: MemberState | None = None
    weight: Annotated[int, Meta(ge=0, le=256)] | None = None


class PagePreview(Params, frozen=True, kw_only=True):
    """The sorry page as a visitor would get it.

    `language` and `accept` are values of Accept-Language and Accept. `window` is the one to
    rehearse, else what holds the site down now, else the next window, else a made-up one.
    `phase` is the one to show it in, ``down`` where it is left out. `cause` is the one to show it
    for, that of the window where it is left out.
    """

    method: ClassVar[str] = "page.preview"
    site: str | None = None
    language: str | None = None
    accept: str | None = None
    window: str | None = None
    phase: Phase | None = None
    cause: Cause | None = None


class SiteBypass(Params, frozen=True, kw_only=True):
    """A secret link by which an operator sees the site itself while it is down.

    For the window of that id; left out, the one that holds the site down, else the next one.
    """

    method: ClassVar[str] = "site.bypass"
    changes: ClassVar[bool] = True
    site: str | None = None
    window: str | None = None


class CalendarGet(Params, frozen=True, kw_only=True):
    """The windows as an iCalendar feed (RFC 5545)."""

    method: ClassVar[str] = "calendar.get"
    site: str | None = None


class HistoryList(Params, frozen=True, kw_only=True):
    """Who did what, when, why; oldest first. `since` is a T that is past, or a D ago.

    `all`: with the turns of members' health.
    """

    method: ClassVar[str] = "history.list"
    site: str | None = None
    since: Duration | None = None
    all: bool = False


class NumbersGet(Params, frozen=True, kw_only=True):
    """What was counted since the daemon began, and what is so now."""

    method: ClassVar[str] = "numbers.get"
    site: str | None = None


class EventsSubscribe(Params, frozen=True, kw_only=True):
    """Events after the cursor `after`, then as they happen; left out, only those to come."""

    method: ClassVar[str] = "events.subscribe"
    after: Annotated[int, Meta(ge=0)] | None = None
    site: str | None = None


class DaemonReload(Params, frozen=True, kw_only=True):
    """Read the configuration again, with the files that it names, and serve by it."""

    method: ClassVar[str] = "daemon.reload"
    changes: ClassVar[bool] = True


class DaemonUpgrade(Params, frozen=True, kw_only=True):
    """Let the code that is installed now take the place of the code that runs."""

    method: ClassVar[str] = "daemon.upgrade"
    changes: ClassVar[bool] = True


class DaemonVersion(Params, frozen=True, kw_only=True):
    """Versions of the daemon and of what it stands on."""

    method: ClassVar[str] = "daemon.version"


Request = (
    Status
    | SiteDown
    | SiteUp
    | WindowSchedule
    | WindowList
    | WindowGet
    | WindowExtend
    | WindowEnd
    | WindowCancel
    | WindowPlan
    | MemberSet
    | PagePreview
    | SiteBypass
    | CalendarGet
    | HistoryList
    | NumbersGet
    | EventsSubscribe
    | DaemonReload
    | DaemonUpgrade
    | DaemonVersion
)


def is_change(request: Request) -> bool:
    """Whether `request` needs leave to change things; the others only read."""
    return request.changes
