"""Instants as text: for people, for programs, and for HTTP. Independent of any locale."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

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


def spoken(instant: float, zone: str, *, up: bool = False) -> str | None:
    """``Sunday, 22 November 2026, 02:00 JST``, in whole minutes: rounded down, or `up`.

    A promised end is rounded up, so that it is kept. None where `rfc3339` gives None.
    """
    minutes = math.ceil(instant / 60) if up else math.floor(instant / 60)
    at = _local(minutes * 60, zone)
    if at is None:
        return None
    date = f"{DAYS[at.weekday()]}, {at.day} {MONTHS[at.month - 1]} {at.year}"
    return f"{date}, {at:%H:%M} {_zone_name(at)}"


def _local(seconds: int, zone: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, ZoneInfo(zone))
    except (OverflowError, ValueError, OSError):
        return None


def _zone_name(at: datetime) -> str:
    """``JST``; for zones that have only an offset for a name, ``UTC-03:00``."""
    name = at.tzname() or ""
    return name if name.isalpha() else f"UTC{at.isoformat()[-6:]}"
