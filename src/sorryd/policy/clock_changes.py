"""What clock changes do to windows, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sorryd.policy.recurrence import has_local
from sorryd.times import local_instant, local_time

_STEP: Final = 86400  # seconds; no clock is changed twice in so short a time
_FAR: Final = 400  # days at most that are looked through


def on_start(start: float, zone: ZoneInfo, first: float, every: str | None) -> str | None:
    """What the clock does to the time at which a window starts; None: nothing.

    `every` and `first` are the rule and the first instant of its series.
    """
    local = local_time(start, zone)
    there, shift = local_instant(local, zone)
    if shift < 0:
        which = "the first" if there == start else "the second"
        return f"the clock in {zone.key} shows {_said(local)} twice: it starts at {which}"
    if every is None or start == first:
        return None
    ahead = next((step for _, step in _changes(start - _STEP, start, zone) if step > 0), None)
    if ahead is None:
        return None
    said = local - timedelta(seconds=ahead)
    if local_instant(said, zone)[0] != start or not has_local(every, first, zone, said):
        return None
    return f"the clock in {zone.key} skips {_said(said)}: it starts at {_said(local)}"


def on_end(end: float, zone: ZoneInfo) -> str | None:
    """What the clock does to the time at which a window ends; None: nothing."""
    local = local_time(end, zone)
    there, shift = local_instant(local, zone)
    if shift >= 0:
        return None
    which = "the first" if there == end else "the second"
    return f"the clock in {zone.key} shows {_said(local)} twice: it ends at {which}"


def within(start: float, end: float, zone: ZoneInfo) -> Iterator[str]:
    """The changes of the clock from `start` to `end`, these instants among them."""
    for at, shift in _changes(start - 1, end, zone):
        after = local_time(at, zone)
        before = after - timedelta(seconds=shift)
        yield f"the clock in {zone.key} goes from {_said(before)} to {_said(after)}"


def _changes(start: float, end: float, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    """Instants later than `start`, up to `end`, and by how many seconds the clock is put on."""
    low, last = int(start), min(int(end), int(start) + _FAR * _STEP)
    while low < last:
        high = min(low + _STEP, last)
        shift = _ahead(high, zone) - _ahead(low, zone)
        if shift:
            yield _bisected(low, high, zone), shift
        low = high


def _bisected(low: int, high: int, zone: ZoneInfo) -> float:
    """The first second, later than `low`, at which the zone's offset is that of `high`."""
    wanted = _ahead(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _ahead(middle, zone) == wanted else (middle, high)
    return float(high)


def _ahead(instant: float, zone: ZoneInfo) -> float:
    """Seconds that the zone is ahead of UTC."""
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds()


def _said(local: datetime) -> str:
    return local.isoformat(" ", "seconds" if local.second else "minutes")
