"""What people write for times, and how sorryd writes them back.

Pure: `now` and the zone are arguments. Durations are seconds, instants POSIX seconds (see
`sorryd.model`).

Local times follow PEP 495 with ``fold=0``: a time that the clock skips is read by the offset
before the gap (02:30 becomes 03:30), one that it repeats is the first. Both are said as a
warning.
"""

from __future__ import annotations

import datetime
import re
from zoneinfo import ZoneInfo

from sorryd.model import Value

LONGEST = 36500 * 86400.0  # seconds that a duration may have: a hundred years
_LAST_YEAR = 9998  # so that no zone's offset leads beyond what datetime can hold
_END = datetime.datetime(_LAST_YEAR + 1, 1, 1, tzinfo=datetime.UTC).timestamp()
_DAY = datetime.timedelta(days=1)

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_DURATION = re.compile(
    rf"(?:(?P<d>{_NUMBER})d)? ?(?:(?P<h>{_NUMBER})h)? ?(?:(?P<m>{_NUMBER})m)? ?"
    rf"(?:(?P<s>{_NUMBER})s)? ?(?:(?P<ms>{_NUMBER})ms)?"
)
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<fraction>\.[0-9]+)?)?"
_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_OFFSET = r"(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})"
_FULL = re.compile(rf"{_DATE}(?:(?:[Tt]| +){_CLOCK}(?: ?{_OFFSET})?)?")
_RELATIVE = re.compile(rf"(?:(?P<word>today|tomorrow) +)?{_CLOCK}")
_FORMS = "say 2026-11-22 02:00, 02:00, tomorrow 02:00, now, +90m, or 2026-11-22T02:00:00+09:00"


class TimeFault(ValueError):
    """What was written is no time, no duration or no zone; its str says why."""


class Resolved(Value, frozen=True):
    """An instant, and what the operator should know about how it was found.

    `skipped` are the seconds by which it is later than was said, where the clock skips that.
    """

    instant: float
    warnings: tuple[str, ...] = ()
    skipped: float = 0.0


def parse_duration(text: str) -> float:
    """Seconds of ``90s``, ``15m``, ``2h``, ``1d``, ``1h30m``, ``500ms``; 0 needs no unit.

    Units go from large to small, each at most once. From 0 to a hundred years. Raises
    TimeFault.
    """
    words = text.strip()
    if words == "0":
        return 0.0
    match = _DURATION.fullmatch(words)
    if match is None or match.lastgroup is None:
        raise TimeFault(f"{_shown(text)}: {_why_no_duration(words)}")
    seconds = sum(float(match[unit] or 0) * size for unit, size in _UNITS.items())
    if seconds > LONGEST:
        raise TimeFault(f"{_shown(text)}: longer than a hundred years")
    return round(seconds, 6)


def parse_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as ``Asia/Tokyo``. Raises TimeFault."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise TimeFault(f"{_shown(name)}: no time zone of that name is known") from None


def parse_instant(text: str, now: float, zone: ZoneInfo) -> Resolved:
    """The instant that a person means at `now`; a time without an offset is in `zone`.

    RFC 3339 (also with a space for the T), ``2026-11-22 02:00[:SS]``, ``2026-11-22`` (its
    midnight), ``02:00`` (the next one after `now`), ``today 02:00``, ``tomorrow 02:00``,
    ``now``, and ``+90m``. From 1970 to 9998. Raises TimeFault.
    """
    words = text.strip()
    if words == "now":
        return Resolved(instant=now)
    if words.startswith("+"):
        return Resolved(instant=_bounded(now + parse_duration(words[1:]), text))
    if match := _FULL.fullmatch(words):
        return _full(match, text, zone)
    if match := _RELATIVE.fullmatch(words):
        return _relative(match, text, now, zone)
    raise TimeFault(f"{_shown(text)}: not a time ({_FORMS})")


def local_instant(naive: datetime.datetime, zone: ZoneInfo) -> tuple[float, float]:
    """The instant of a local time, and the seconds that the clock is set on then.

    More than 0: it skips that time, and the instant is so much later. Less: it shows that time
    twice, and the instant is the first.
    """
    first = naive.replace(tzinfo=zone, fold=0)
    return first.timestamp(), _offset(naive.replace(tzinfo=zone, fold=1)) - _offset(first)


def local_time(instant: float, zone: ZoneInfo) -> datetime.datetime:
    """What the clock shows at the instant, without a zone: of a time that it repeats, the first."""
    return datetime.datetime.fromtimestamp(instant, zone).replace(tzinfo=None, fold=0)


def format_instant(instant: float, zone: ZoneInfo) -> str:
    """RFC 3339 with the zone's offset; with microseconds only where there are any.

    `instant` is from 1970 to 9998. An offset of odd seconds (Monrovia before 1972), which
    RFC 3339 cannot write, gives UTC.
    """
    local = datetime.datetime.fromtimestamp(instant, zone)
    if _offset(local) % 60:
        local = local.astimezone(datetime.UTC)
    return local.isoformat()


def format_duration(seconds: float) -> str:
    """``1h30m``, ``500ms``, ``0s``: what `parse_duration` reads, to the millisecond."""
    rest = round(abs(seconds) * 1000)
    words = "-" if seconds < 0 and rest else ""
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, round(size * 1000))
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def _full(match: re.Match[str], text: str, zone: ZoneInfo) -> Resolved:
    try:
        day = datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise TimeFault(f"{_shown(text)}: there is no such day") from None
    if match["offset"] is not None:
        return _absolute(match, text, day)
    clock = datetime.time() if match["hour"] is None else _clock(match, text)
    return _local(datetime.datetime.combine(day, clock), text, zone)


def _absolute(match: re.Match[str], text: str, day: datetime.date) -> Resolved:
    """A time with an offset. Second 60 is a leap second (RFC 3339 §5.7): POSIX has none."""
    leap = match["second"] == "60"
    clock = _clock(match, text, second=59 if leap else None)
    local = datetime.datetime.combine(day, clock, tzinfo=_zone_of(match["offset"], text))
    instant = _bounded(local.timestamp(), text)
    if not leap:
        return Resolved(instant=instant)
    after = instant // 1 + 1
    if after % 86400:
        raise TimeFault(f"{_shown(text)}: no leap second falls there")
    note = f"{text.strip()} is a leap second: the next second is taken"
    return Resolved(instant=after, warnings=(note,))


def _zone_of(offset: str, text: str) -> datetime.timezone:
    if offset in "Zz":
        return datetime.UTC
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 23 or minutes > 59:
        raise TimeFault(f"{_shown(text)}: there is no offset {offset}")
    ahead = datetime.timedelta(hours=hours, minutes=minutes)
    return datetime.timezone(-ahead if offset[0] == "-" else ahead)


def _relative(match: re.Match[str], text: str, now: float, zone: ZoneInfo) -> Resolved:
    today = datetime.datetime.fromtimestamp(now, zone).date()
    clock = _clock(match, text)
    if match["word"] == "tomorrow":
        return _local(datetime.datetime.combine(today + _DAY, clock), text, zone)
    here = datetime.datetime.combine(today, clock)
    resolved = _local(here, text, zone)
    if match["word"] == "today" or resolved.instant > now:
        return resolved
    later = _local(here + _DAY, text, zone)
    if here.replace(tzinfo=zone, fold=1).timestamp() <= now:
        return later
    note = f"the first {text.strip()} of today is past: {_said(here + _DAY)} is taken"
    return Resolved(instant=later.instant, warnings=(note, *later.warnings))


def _clock(match: re.Match[str], text: str, second: int | None = None) -> datetime.time:
    """The time of day; digits of the fraction beyond microseconds are dropped."""
    if second is None:
        second = int(match["second"] or 0)
    micro = int((match["fraction"] or ".")[1:7].ljust(6, "0"))
    try:
        return datetime.time(int(match["hour"]), int(match["minute"]), second, micro)
    except ValueError:
        raise TimeFault(f"{_shown(text)}: the clock goes from 00:00:00 to 23:59:59") from None


def _local(naive: datetime.datetime, text: str, zone: ZoneInfo) -> Resolved:
    instant, shift = local_instant(naive, zone)
    instant = _bounded(instant, text)
    if shift > 0:
        taken = _said(datetime.datetime.fromtimestamp(instant, zone))
        note = f"the clock in {zone.key} skips {_said(naive)}: {taken} is taken"
    elif shift < 0:
        note = f"the clock in {zone.key} shows {_said(naive)} twice: the first is taken"
    else:
        return Resolved(instant=instant)
    return Resolved(instant=instant, warnings=(note,), skipped=max(shift, 0.0))


def _said(moment: datetime.datetime) -> str:
    return moment.isoformat(" ", "seconds" if moment.second else "minutes")


def _offset(local: datetime.datetime) -> float:
    """Seconds that an aware time is ahead of UTC."""
    offset = local.utcoffset()
    return 0.0 if offset is None else offset.total_seconds()


def _bounded(instant: float, text: str) -> float:
    if not 0 <= instant < _END:
        raise TimeFault(f"{_shown(text)}: not within the years 1970 to {_LAST_YEAR}")
    return instant


def _why_no_duration(words: str) -> str:
    if re.fullmatch(_NUMBER, words):
        return f"a duration needs a unit ({words[:15]}s, {words[:15]}m, {words[:15]}h)"
    if words.startswith("-"):
        return "a duration cannot be negative"
    return "not a duration (say 90s, 15m, 2h, 1d or 1h30m)"


def _shown(text: str) -> str:
    """The text as a message may hold it: one line, printable, not too long."""
    line = "".join(character if character.isprintable() else "?" for character in text)
    return (line if len(line) <= 60 else f"{line[:57]}...") or "(nothing)"
