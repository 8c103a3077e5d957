"""What will happen: windows and instances of series to come, and what becomes of them. Pure.

Members are taken to be healthy after each window, so that none is waited for.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile
from typing import Final

from msgspec.structs import replace

from sorryd.control.answers import instant
from sorryd.control.overlaps import meet, told
from sorryd.control.series import AHEAD
from sorryd.model import Config, Phase, Site, Value
from sorryd.policy.acting import acts, closing, concerns, holding
from sorryd.policy.clock_changes import on_end, on_start, within
from sorryd.policy.dates import spoken
from sorryd.policy.instances import Series, between, zone
from sorryd.policy.windows import Standing, arrange, standing, standing_of
from sorryd.replies_plan import Planned, SitePlan
from sorryd.snapshot import SiteView
from sorryd.window import Window

MOST: Final = 400
"""Windows that one answer tells of."""

_FIRST: Final = 5  # instances of a series that is not planned yet
_NEAR: Final = 8 * 86400.0  # seconds for which windows that go on with each other are followed


class Outlook(Value, frozen=True, kw_only=True):
    """What is known, at the instant `now`: windows that are not over, and all series."""

    config: Config
    windows: tuple[Window, ...]
    series: tuple[Series, ...]
    now: float


def coming(
    outlook: Outlook, site: str | None, since: float, until: float, most: int = MOST + 1
) -> list[Window]:
    """The first `most` windows and instances that act from `since` until `until`, as they start."""
    concrete = {one.id: one for one in outlook.windows}
    beyond = max(since, outlook.now + AHEAD)  # nearer ones are among the windows
    series = outlook.series if until > beyond else ()
    given = (
        _unknown(one, concrete, beyond, until)
        for one in series
        if site is None or one.window.site in (None, site)
    )
    found = heapq.merge(sorted(concrete.values(), key=_order), *given, key=_order)
    wanted = (
        one
        for one in takewhile(lambda one: one.start < until, found)
        if not one.is_final and (closing(one) > since or acts(one, since))
        if site is None or one.site in (None, site)
    )
    return list(islice(wanted, most))


def further(view: SiteView, series: Iterable[Series], now: float, until: float) -> SiteView:
    """`view` with the instances until `until` that are too far off to be in it."""
    if until <= now + AHEAD:
        return view
    known = {one.id: one for one in view.windows}
    found = (
        one
        for of in series
        if of.window.site in (None, view.site.name)
        for one in islice(_unknown(of, known, now + AHEAD, until), MOST)
    )
    return replace(view, windows=arrange((*view.windows, *found)))


def planned(outlook: Outlook, windows: Iterable[Window], site: str | None) -> Iterator[Planned]:
    """`windows`, in the order of their starts, each with what becomes of it."""
    firsts = {one.window.id: one.window for one in outlook.series}
    for group in _groups(windows, outlook.now):
        arranged = arrange(group)
        for window in group:
            yield _planned(outlook, window, firsts.get(window.series or ""), arranged, site)


def rehearsed(outlook: Outlook, window: Window) -> Iterator[Planned]:
    """`window`, which is not planned yet; where it is a series, its next instances."""
    others = replace(
        outlook,
        windows=tuple(one for one in outlook.windows if window.id not in (one.id, one.series)),
        series=tuple(one for one in outlook.series if one.window.id != window.id),
    )
    mine: Iterable[Window] = [window]
    if window.every is not None:
        own = Series(window=window)
        near = tuple(between(own, outlook.now, outlook.now + AHEAD))
        others = replace(others, series=(*others.series, own), windows=(*others.windows, *near))
        mine = islice(between(own, outlook.now, math.inf), _FIRST)
    for one in mine:
        some = coming(others, window.site, one.start, closing(one) + _NEAR)
        group = sorted({other.id: other for other in (*some, one)}.values(), key=_order)
        found = planned(others, group, window.site)
        yield next(plan for plan in found if plan.id == one.id)


def _unknown(
    series: Series, known: dict[str, Window], since: float, until: float
) -> Iterator[Window]:
    """The instances of `series` that are not among the `known` windows."""
    return (one for one in between(series, since, until) if one.id not in known)


def _order(window: Window) -> tuple[float, str]:
    return window.start, window.id


def _groups(windows: Iterable[Window], now: float) -> Iterator[list[Window]]:
    """`windows` in groups, such that those of one group know nothing of another."""
    group: list[Window] = []
    end = -math.inf
    for window in windows:
        if group and window.start > end:
            yield group
            group = []
        group.append(_verified(window, now))
        end = max(end, holding(group[-1]))
    if group:
        yield group


def _verified(window: Window, now: float) -> Window:
    """`window` as it is where the members are healthy at its end."""
    return window if closing(window) <= now else replace(window, until_healthy=None)


def _planned(
    outlook: Outlook,
    window: Window,
    first: Window | None,
    group: Sequence[Window],
    site: str | None,
) -> Planned:
    overlaps = [one for one in group if one.id != window.id and meet(one, window)]
    sites = [
        one
        for one in outlook.config.sites
        if concerns(window, one.name) and site in (None, one.name)
    ]
    return Planned(
        id=window.id,
        series=window.series,
        site=window.site,
        from_=instant(window.start, window.timezone),
        until=None if window.end is None else instant(window.end, window.timezone),
        from_utc=instant(window.start, "UTC"),
        until_utc=None if window.end is None else instant(window.end, "UTC"),
        timezone=window.timezone,
        lasts=None if window.end is None else round(window.end - window.start, 6),
        reason=window.reason,
        overlaps=tuple(one.id for one in overlaps),
        warnings=tuple(_warnings(outlook, window, first, overlaps)),
        sites=tuple(_site_plan(one, window, group, outlook.now) for one in sites),
    )


def _warnings(
    outlook: Outlook, window: Window, first: Window | None, overlaps: list[Window]
) -> Iterator[str]:
    where = zone(window.timezone)
    start = window.start if first is None else first.start
    edges = [on_start(window.start, where, start, None if first is None else first.every)]
    if window.end is not None:
        edges += [*within(window.start, window.end, where), on_end(window.end, where)]
    yield from filter(None, edges)
    yield from told(overlaps, where)
    if window.site is not None and all(one.name != window.site for one in outlook.config.sites):
        yield f"there is no site {window.site} in the configuration"


def _site_plan(site: Site, window: Window, group: Sequence[Window], now: float) -> SitePlan:
    at = max(now, window.start)
    held = standing(group, site, at)
    is_partial = held.phase.serves and any(one.id == window.id for one in held.partial)
    shown = standing_of(window, at) if is_partial else held
    plan = SitePlan(
        site=site.name,
        announced=instant(window.start - site.announce, site.timezone),
        drained=_drained(window, held, site),
    )
    return plan if shown.phase.serves else _promising(plan, shown, site, at)


def _drained(window: Window, held: Standing, site: Site) -> str | None:
    drains = held.phase is Phase.DRAINING and held.since is not None and held.since <= window.start
    if not drains or held.since is None:
        return None
    return instant(held.since + held.drain, site.timezone)


def _promising(plan: SitePlan, shown: Standing, site: Site, at: float) -> SitePlan:
    """`plan` with what visitors read at the instant `at`."""
    until = shown.until
    wait = site.retry_after if until is None or until <= at else max(1.0, until - at)
    return SitePlan(
        site=plan.site,
        announced=plan.announced,
        drained=plan.drained,
        reason=shown.reason,
        reasons={one.language: one.text for one in shown.reasons},
        until=None if until is None else instant(until, site.timezone),
        spoken=None if until is None else spoken(until, site.timezone, up=True),
        retry_after=math.ceil(wait),
    )
