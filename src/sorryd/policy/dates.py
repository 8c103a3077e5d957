"""Instants as text: for people in their languages, for programs, and for HTTP.

The machine's locale has no say in it; languages are tags of RFC 5646.
"""

from __future__ import annotations

import functools
import math
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def imf_fixdate(instant: float) -> str:
    """The Date field's form (RFC 9110 §5.6.7): ``Sun, 22 Nov 2026 02:00:00 GMT``."""
    at = datetime.fromtimestamp(math.floor(instant), UTC)
    day, month = DAYS[at.weekday()][:3], MONTHS[at.month - 1][:3]
    return f"{day}, {at.day:02} {month} {at.year:04} {at:%H:%M:%S} GMT"


def rfc3339(instant: float, zone: str, *, up: bool = False) -> str | None:
    """``2026-11-22T02:00:00+09:00``, in whole seconds: rounded down, or `up`.

    None beyond the years that a calendar of four digits holds.
    """
    at = _local(math.ceil(instant) if up else math.floor(instant), zone)
    return None if at is None else at.isoformat()


def spoken(instant: float, zone: str, *, up: bool = False, language: str = "en") -> str | None:
    """``Sunday, 22 November 2026, 02:00 JST``, in whole minutes: rounded down, or `up`.

    A promised end is rounded up, so that it is kept. None where `rfc3339` gives None. In a
    `language` that Unicode's CLDR does not know it is said in English.
    """
    minutes = math.ceil(instant / 60) if up else math.floor(instant / 60)
    at = _local(minutes * 60, zone)
    if at is None:
        return None
    return f"{_date_and_time(at, language)} {_zone_name(at)}"


def brief(instant: float, zone: str, now: float) -> str:
    """``05:00 JST``, and with a date where that is not today's: ``2026-11-23 05:00 JST``.

    In whole minutes, rounded up: before it nobody need look again. Beyond a calendar of four
    digits, and in a zone that nobody knows, it is empty.
    """
    at, today = _local(math.ceil(instant / 60) * 60, zone), _local(math.floor(now), zone)
    if at is None or today is None:
        return ""
    date = "" if at.date() == today.date() else f"{at:%Y-%m-%d} "
    return f"{date}{at:%H:%M} {_zone_name(at)}"


def _date_and_time(at: datetime, language: str) -> str:
    locale = _locale(language)
    if locale is None or locale.language == "en":
        return f"{DAYS[at.weekday()]}, {at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"
    if locale.language == "ja":
        return format_datetime(at, "y年M月d日(E) H:mm", locale=locale)
    date, time = format_date(at, "full", locale), format_time(at, "short", locale=locale)
    # CLDR's joint for a full date is "at"; the one for a short date is a comma or so.
    return str(locale.datetime_formats["medium"]).format(time, date)


@functools.lru_cache(maxsize=64)
def _locale(language: str) -> Locale | None:
    """The locale of a tag, or of what it begins with; None where nobody knows it."""
    while language:
        try:
            return Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError):
            language = language.rpartition("-")[0]
    return None


def _local(seconds: int, zone: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, ZoneInfo(zone))
    except (OverflowError, ValueError, OSError, ZoneInfoNotFoundError):
        return None


def _zone_name(at: datetime) -> str:
    """``JST``; for zones that have only an offset for a name, ``UTC-03:00``."""
    name = at.tzname() or ""
    return name if name.isalpha() else f"UTC{at.isoformat()[-6:]}"
