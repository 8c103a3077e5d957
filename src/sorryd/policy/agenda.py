"""Which windows a calendar shows: of the last 90 days, open ones, a year to come. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from sorryd.policy.acting import closing, concerns
from sorryd.policy.instances import Series, between
from sorryd.window import Window

_DAY: Final = 86400.0
BEHIND: Final = 90 * _DAY  # seconds
AHEAD: Final = 366 * _DAY  # seconds
MOST: Final = 10_000  # windows; the first ones, where there are more
_HOUR: Final = 3600.0


def agenda(
    known: Iterable[Window], past: Iterable[Window], series: Iterable[Series], now: float
) -> tuple[Window, ...]:
    """Windows by their start, each with the end that it had, or will have.

    `known` are those not final, and `past` those that are, a cancelled series among them: the
    instances that it would have had are cancelled. One that is open without an end lasts until the
    next full hour, so that what is shown changes no more than once in that; and `BEHIND` and
    `AHEAD` are counted from the last midnight in UTC.
    """
    begin, until = now // _DAY * _DAY - BEHIND, now // _DAY * _DAY + AHEAD
    found = {window.id: window for window in _given(series, now, until)}
    found |= {window.id: window for window in _cancelled(past, begin, until)}
    found |= {window.id: window for window in (*past, *known) if window.every is None}
    ended = (replace(window, end=_end(window, now)) for window in found.values())
    shown = (_of_some_length(one) for one in ended if begin < closing(one) and one.start < until)
    return tuple(sorted(shown, key=lambda window: (window.start, window.id))[:MOST])


def of_site(windows: Iterable[Window], site: str | None) -> Iterator[Window]:
    """Those of `site`, with those for every site; None: all."""
    return (window for window in windows if site is None or concerns(window, site))


def last_change(window: Window) -> float:
    """The instant since which `window` is as it is."""
    known = (window.created, window.changed, window.renewed, window.ended, window.cancelled)
    return max(at for at in known if at is not None)


def _given(series: Iterable[Series], now: float, until: float) -> Iterator[Window]:
    for one in series:
        changed = last_change(one.window)
        for window in between(one, now, until):
            yield replace(window, changed=changed)


def _cancelled(past: Iterable[Window], begin: float, until: float) -> Iterator[Window]:
    for window in past:
        if window.every is None or window.cancelled is None:
            continue
        series = Series(window=window, over=window.cancelled)
        for one in between(series, max(window.cancelled, begin), until):
            yield replace(one, cancelled=window.cancelled)


def _end(window: Window, now: float) -> float:
    if window.ended is not None:
        return window.ended
    return (now // _HOUR + 1) * _HOUR if window.end is None else window.end


def _of_some_length(window: Window) -> Window:
    """`window`, a second long at least: DTEND is later than DTSTART (RFC 5545 3.8.2.2)."""
    return replace(window, end=max(closing(window), math.floor(window.start) + 1.0))
