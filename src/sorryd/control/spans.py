"""Times and durations of a request, resolved. Pure; what makes no sense is a ControlError."""

from __future__ import annotations

import datetime
import math
import re
from zoneinfo import ZoneInfo, available_timezones

from sorryd.control.missing import near
from sorryd.control.rhythm import remarks
from sorryd.errors import invalid_params
from sorryd.messages import Duration, SiteDown, WindowExtend, WindowSchedule
from sorryd.model import Config, Value
from sorryd.policy.recurrence import checked, instants
from sorryd.policy.recurrence_rule import RuleFault
from sorryd.times import (
    LONGEST,
    Resolved,
    TimeFault,
    format_duration,
    format_instant,
    parse_duration,
    parse_instant,
    parse_zone,
)
from sorryd.window import Window

_LATEST = datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC).timestamp()  # as for `times`
_YEAR = 366 * 86400.0  # seconds
_DAY = 86400.0
_LONG = 12 * 3600.0  # seconds; an end said by the clock alone that is later was hardly meant
_CLOCK_ALONE = re.compile(r"\s*\d\d:\d\d(:\d\d(\.\d+)?)?\s*")


class Span(Value, frozen=True, kw_only=True):
    """When, in which zone, how often, and what the operator should know about it.

    With `every`, a rule, `start` and `end` are those of the first instance.
    """

    start: float
    end: float
    timezone: str
    every: str | None = None
    warnings: tuple[str, ...] = ()


def zone_of(config: Config, site: str | None) -> str:
    """The time zone of a site; the daemon's for all sites, and for unknown ones."""
    zones = (one.timezone for one in config.sites if one.name == site)
    return next(zones, config.timezone)


def zone_named(config: Config, site: str | None, name: str | None = None) -> ZoneInfo:
    """The zone of that name; left out, the site's, else the daemon's."""
    try:
        return parse_zone(name or zone_of(config, site))
    except TimeFault as fault:
        meant = near(name or "", available_timezones())
        hint = f" (did you mean {meant}?)" if meant else ""
        raise invalid_params(f"timezone: {fault}{hint}", "timezone") from None


def wanted_drain(drain: Duration | None) -> float | None:
    """Seconds of drain; None is the site's."""
    return None if drain is None else seconds_of("drain", drain)


def seconds_of(name: str, duration: Duration) -> float:
    """The seconds of a D, the value of the parameter `name`."""
    if isinstance(duration, str):
        try:
            return parse_duration(duration)
        except TimeFault as fault:
            raise invalid_params(f"{name}: {fault}", name) from None
    if duration > LONGEST:
        raise invalid_params(f"{name}: longer than a hundred years", name)
    return duration


def wanted_ahead(ahead: Duration) -> float:
    """Seconds to look ahead: at most a year."""
    seconds = seconds_of("ahead", ahead)
    if seconds > _YEAR:
        raise invalid_params("ahead: longer than 366d", "ahead")
    return seconds


def spoken_end(
    request: SiteDown, now: float, zone: ZoneInfo
) -> tuple[float | None, str | None, tuple[str, ...]]:
    """The end of a ``down``: the instant or None, its text if it is no time, and warnings."""
    if request.until is not None and request.for_ is not None:
        raise invalid_params("until: say until or for, not both", "until")
    if request.for_ is not None:
        return _to_come("for", _after(now, "for", request.for_), now, zone)
    if request.until is not None:
        return _to_come("until", _end("until", request.until, now, now, zone), now, zone)
    text = (request.until_text or "").strip()
    if not text:
        return None, None, ()
    try:
        parse_instant(text, now, zone)
    except TimeFault:
        return None, text, ()
    return _to_come("until_text", _end("until_text", text, now, now, zone), now, zone)


def planned_span(config: Config, request: WindowSchedule, now: float) -> Span:
    """When a planned window is. A bare clock time of its end means the first one in it."""
    zone = zone_named(config, request.site, request.timezone)
    start = _instant("from", request.from_, now, zone)
    if (request.until is None) == (request.for_ is None):
        raise invalid_params("until: say either until or for", "until")
    if request.for_ is not None:
        end = _after(start.instant, "for", request.for_)
    else:
        end = _end("until", request.until or "", start.instant, now, zone)
    name = "until" if request.for_ is None else "for"
    if end.instant <= start.instant:
        said = f"{_said(end.instant, zone)} is not after {_said(start.instant, zone)}"
        raise invalid_params(f"{name}: the end must be after the start: {said}", name)
    warnings = (*start.warnings, *end.warnings)
    if request.every is not None:
        return _repeated(request.every, start, end.instant, now, zone, warnings)
    if end.instant <= now:
        said = f"it would end {_said(end.instant, zone)}, and it is {_said(now, zone)}"
        raise invalid_params(f"{name}: the window is wholly in the past: {said}", name)
    return Span(start=start.instant, end=end.instant, timezone=zone.key, warnings=warnings)


def _repeated(
    every: str, start: Resolved, end: float, now: float, zone: ZoneInfo, warnings: tuple[str, ...]
) -> Span:
    """A span that comes again and again; each begins at a whole second."""
    first, lasts = float(math.floor(start.instant)), round(end - start.instant, 6)
    try:
        rule = checked(every, first, zone, start.skipped)
    except RuleFault as fault:
        raise invalid_params(f"every: {fault}", "every") from None
    if next(instants(rule.text, first, zone, now - lasts), None) is None:
        raise invalid_params("every: the last one is over already", "every")
    more = tuple(remarks(rule, first, lasts, zone, now, is_moved=bool(start.skipped)))
    return Span(
        start=first,
        end=first + lasts,
        timezone=zone.key,
        every=rule.text,
        warnings=(*warnings, *more),
    )


def later_end(config: Config, window: Window, request: WindowExtend, now: float) -> Span:
    """The new end of `window`, which must be after its start and still to come."""
    if (request.until is None) == (request.by is None):
        raise invalid_params("until: say either until or by", "until")
    if request.until is not None:
        zone = zone_named(config, window.site, window.timezone)
        name, end = "until", _end("until", request.until, window.start, now, zone)
    elif window.end is None:
        raise invalid_params(f"by: {window.id} has no end yet: say until", "by")
    else:
        name, end = "by", _prolonged(window.end, request.by or 0)
    if end.instant <= max(now, window.start):
        zone = zone_named(config, window.site, window.timezone)
        said = f"{_said(end.instant, zone)} is not after {_said(max(now, window.start), zone)}"
        hint = ": say until, such as +30m" if name == "by" else ""
        text = f"the end must be after the start, and still to come: {said}{hint}"
        raise invalid_params(f"{name}: {text}", name)
    return Span(
        start=window.start, end=end.instant, timezone=window.timezone, warnings=end.warnings
    )


def _prolonged(end: float, by: Duration) -> Resolved:
    if isinstance(by, str) and by.lstrip().startswith("-"):
        hint = "to make it shorter, say until, such as +30m"
        raise invalid_params(f"by: {by}: a duration cannot be negative: {hint}", "by")
    return _after(end, "by", by)


def past_instant(since: Duration | None, now: float, zone: ZoneInfo) -> float:
    """The instant that ``since`` means: a duration ago, or a time that is past; left out, 0.

    A bare clock time is the last one.
    """
    if since is None:
        return 0.0
    if not isinstance(since, str):
        return now - seconds_of("since", since)
    if _CLOCK_ALONE.fullmatch(since):
        return _last(since.strip(), now, zone)
    try:
        return now - parse_duration(since)
    except TimeFault:
        found = _instant("since", since, now, zone).instant
    if found > now:
        raise invalid_params("since: that is still to come", "since")
    return found


def _last(clock: str, now: float, zone: ZoneInfo) -> float:
    """When the clock showed that for the last time."""
    day = now
    while (found := _instant("since", f"today {clock}", day, zone).instant) > now:
        day -= _DAY
    return found


def _end(name: str, text: str, start: float, now: float, zone: ZoneInfo) -> Resolved:
    """An end. ``05:00`` is the next one after the start: so an operator means it."""
    if not _CLOCK_ALONE.fullmatch(text):
        return _instant(name, text, now, zone)
    found = _instant(name, text, max(start, now), zone)
    lasts = found.instant - start
    if lasts <= _LONG:
        return found
    note = f"it lasts {format_duration(lasts // 60 * 60)}: {text.strip()} is taken as the next one"
    return Resolved(instant=found.instant, warnings=(*found.warnings, note))


def _after(start: float, name: str, duration: Duration) -> Resolved:
    instant = start + seconds_of(name, duration)
    if instant >= _LATEST:
        raise invalid_params(f"{name}: ends after the year 9998", name)
    return Resolved(instant=instant)


def _to_come(
    name: str, end: Resolved, now: float, zone: ZoneInfo
) -> tuple[float | None, str | None, tuple[str, ...]]:
    if end.instant <= now:
        said = f"{_said(end.instant, zone)} is not after {_said(now, zone)}"
        raise invalid_params(f"{name}: the end must be still to come: {said}", name)
    return end.instant, None, end.warnings


def _said(instant: float, zone: ZoneInfo) -> str:
    """An instant as a refusal tells it: to the second."""
    return format_instant(math.floor(instant), zone)


def _instant(name: str, text: str, now: float, zone: ZoneInfo) -> Resolved:
    try:
        return parse_instant(text, now, zone)
    except TimeFault as fault:
        raise invalid_params(f"{name}: {fault}", name) from None
