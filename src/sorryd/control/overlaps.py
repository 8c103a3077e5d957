"""Which windows hold the same site at the same time. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from sorryd.policy.acting import closing
from sorryd.policy.instances import Series, between
from sorryd.times import format_instant
from sorryd.window import Window

_MOST: Final = 10  # windows that are named one by one
_NEAR: Final = 35 * 86400.0  # seconds for which two series are held against each other
_FAR: Final = 366 * 86400.0  # and a series against single windows


def meet(one: Window, other: Window) -> bool:
    """Whether two windows hold the same site at the same time."""
    return _shared(one, other) and one.start < closing(other) and other.start < closing(one)


def overlapping(mine: Sequence[Window], others: Iterable[Window]) -> Iterator[Window]:
    """Those of `others` that overlap with one of `mine`.

    `mine` are of one site and one length, in the order of their starts.
    """
    starts = [window.start for window in mine]
    for other in others:
        number = bisect_left(starts, closing(other)) - 1
        if number >= 0 and meet(mine[number], other):
            yield other


def remarks(
    window: Window, alive: Iterable[Window], series: Sequence[Series], now: float, zone: ZoneInfo
) -> Iterator[str]:
    """Warnings on what overlaps with `window`, which may be a series.

    `alive` are the windows that are not over, instances among them, `series` all of these. A series
    is held against windows of a year, and other series of the next weeks.
    """
    mine = _instances(window, now)
    if not mine:
        return
    end = min(max(map(closing, mine)), mine[0].start + _NEAR) if window.every else closing(window)
    known = {one.id: one for one in alive}
    more = (
        one
        for of in series
        if of.window.id != window.id and _shared(window, of.window)
        for one in between(of, mine[0].start, end)
        if one.id not in known
    )
    others = (one for one in chain(known.values(), more) if _is_other(one, window))
    found = sorted(overlapping(mine, others), key=lambda one: (one.start, one.id))
    yield from told(found, zone)


def _instances(window: Window, now: float) -> list[Window]:
    """`window`, or the instances of it that are held against others."""
    if window.every is None:
        return [window]
    coming = between(Series(window=window), now, now + _FAR)
    first = next(coming, None)
    if first is None:
        return []
    return [first, *takewhile(lambda one: one.start < first.start + _FAR, islice(coming, 400))]


def _is_other(one: Window, window: Window) -> bool:
    return one.id != window.id and window.id != one.series


def _shared(one: Window, other: Window) -> bool:
    return one.site is None or other.site is None or one.site == other.site


def told(found: Sequence[Window], zone: ZoneInfo) -> Iterator[str]:
    """What overlaps: the first ones, of a series the first one, and how many there are more."""
    counts = Counter(one.series or one.id for one in found)
    firsts = {one.series or one.id: one for one in reversed(found)}
    named = sorted(firsts.values(), key=lambda one: (one.start, one.id))
    for one in named[:_MOST]:
        until = "open end" if one.end is None else _to_the_second(one.end, zone)
        more = counts[one.series or one.id] - 1
        others = f", and {more} more of {one.series}" if more else ""
        yield f"overlaps {one.id} ({_to_the_second(one.start, zone)} to {until}){others}"
    if len(named) > _MOST:
        yield f"overlaps {len(named) - _MOST} more"


def _to_the_second(instant: float, zone: ZoneInfo) -> str:
    return format_instant(math.floor(instant), zone)
