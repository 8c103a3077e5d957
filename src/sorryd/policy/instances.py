"""Instances of a series as windows: made from it, found by their names. Pure.

``ID@FROM`` is an instance: FROM is its local time in the series' zone, with an offset where that
would mean another instant. So it is, too, where the journal has that name for another instant: in
the zone that the series had before.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from sorryd.model import Value
from sorryd.policy.acting import patience
from sorryd.policy.recurrence import instants
from sorryd.times import TimeFault, local_instant, parse_instant, parse_zone
from sorryd.window import Window


class Series(Value, frozen=True, kw_only=True):
    """A series with what has become of its instances.

    `kept` are the instants of those that the journal has, and `taken` their ids: they are windows
    of their own. Those that would have been over by the instant `over` come no more.
    """

    window: Window
    kept: frozenset[float] = frozenset()
    taken: frozenset[str] = frozenset()
    over: float = -math.inf


_SOON = 0.5  # seconds; instances start at whole ones


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that name; UTC where the machine has unlearned it since."""
    try:
        return parse_zone(name)
    except TimeFault:
        return parse_zone("UTC")


def reach(series: Window) -> float:
    """Seconds from the start of an instance until it is over by itself, verifying included."""
    return patience(series) - series.start


def instance(series: Window, recurs: float, taken: Container[str] = ()) -> Window:
    """The instance of `series` that its rule has at the instant `recurs`, which is not kept.

    `taken` are the ids of those that are.
    """
    assert series.end is not None
    return replace(
        series,
        id=_id(series, recurs, taken),
        start=recurs,
        end=recurs + (series.end - series.start),
        every=None,
        renewed=None,
        series=series.id,
        recurs=recurs,
    )


def recurrences(series: Window, after: float) -> Iterator[float]:
    """The instants of the rule of `series` later than `after`."""
    assert series.every is not None
    return instants(series.every, series.start, zone(series.timezone), after)


def between(series: Series, start: float, end: float) -> Iterator[Window]:
    """The instances that may act from `start` until before `end`, but for those that are kept."""
    after = max(start, series.over) - reach(series.window)
    for at in takewhile(lambda at: at < end, recurrences(series.window, after)):
        if at not in series.kept:
            yield instance(series.window, at, series.taken)


def has(series: Window, recurs: float) -> bool:
    """Whether the rule of `series` has an instance at the instant `recurs`."""
    return next(recurrences(series, recurs - _SOON), None) == recurs


def named(series: Window, text: str, now: float, taken: Container[str] = ()) -> Window | None:
    """The instance at the time `text`, however it is spelled; None where there is none."""
    try:
        recurs = parse_instant(text, now, zone(series.timezone)).instant
    except TimeFault:
        return None
    return instance(series, recurs, taken) if has(series, recurs) else None


def _id(series: Window, recurs: float, taken: Container[str]) -> str:
    where = zone(series.timezone)
    local = datetime.fromtimestamp(recurs, where)
    plain = local.replace(tzinfo=None, fold=0)
    precision = "seconds" if local.second else "minutes"
    short, long = (f"{series.id}@{one.isoformat(timespec=precision)}" for one in (plain, local))
    is_plain = local_instant(plain, where)[0] == recurs
    return short if is_plain and short not in taken else long
