"""The control protocol as typed values: what will happen. See `replies`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from sorryd.model import Value


class SitePlan(Value, frozen=True, kw_only=True):
    """What a window means for one site, as it will be when the window opens.

    `announced` and `drained` are when it is announced, and when requests in flight have had their
    time; null where it does not drain, because it takes out members only or the site is down by
    then. Visitors read `reason`, or for their language one of `reasons`, and that it ends at
    `until`, which `spoken` says in English in the site's zone. They are told to come back in
    `retry_after` seconds. Null and empty where they are served.
    """

    site: str
    announced: str
    drained: str | None = None
    reason: str | None = None
    reasons: Mapping[str, str] = {}
    until: str | None = None
    spoken: str | None = None
    retry_after: int | None = None


class Planned(Value, frozen=True, kw_only=True):
    """A window, or an instance of a series, with all that an operator may want to know ahead.

    `from` and `until` are in the window's `timezone`. `lasts` are seconds; null is open-ended.
    `overlaps` are the ids of windows that hold the same site at the same time.
    """

    id: str
    series: str | None
    site: str | None
    from_: str = field(name="from")
    until: str | None
    from_utc: str
    until_utc: str | None
    timezone: str
    lasts: float | None
    reason: str
    overlaps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sites: tuple[SitePlan, ...] = ()


class PlanResult(Value, frozen=True, kw_only=True):
    """What happens from `from` until `until`; `more`: there are more windows than are told."""

    from_: str = field(name="from")
    until: str
    windows: tuple[Planned, ...]
    more: bool = False
