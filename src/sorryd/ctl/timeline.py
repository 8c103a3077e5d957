"""What is ahead of a site as a line: drawn in letters, one for each piece of the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

HOURS, DAYS = timedelta(hours=24), timedelta(days=7)  # how much is drawn: the one or the other
_HOURLY = tuple(timedelta(hours=count) for count in (3, 6, 12))
_DAILY = tuple(timedelta(days=count) for count in (1, 2))
_ROOM = 8  # columns for a time and the blanks after it
PARTIAL = "partial"  # a phase of the drawing only: a part of the site is in maintenance
UNTOLD = "not told"  # another one: so much is going on that the daemon told of less
ASCII = {
    UNTOLD: " ",
    "live": "-",
    "announced": "~",
    PARTIAL: "=",
    "verifying": "?",
    "draining": "%",
    "down": "#",
}
LETTERS = {
    UNTOLD: " ",
    "live": "─",
    "announced": "┄",
    PARTIAL: "▄",
    "verifying": "░",
    "draining": "▒",
    "down": "█",
}
STYLES = {
    UNTOLD: "dim",
    "live": "green",
    "announced": "cyan",
    PARTIAL: "yellow",
    "verifying": "magenta",
    "draining": "yellow",
    "down": "red",
}
_GRAVITY = tuple(ASCII)  # the last one that falls into a piece is the one to show


class Stretch(NamedTuple):
    """A time in one phase; `phase` is a key of `ASCII`."""

    phase: str
    start: datetime
    end: datetime


class Timeline(NamedTuple):
    """Stretches without gaps from `begin` on, and how much of them to draw."""

    begin: datetime
    lasts: timedelta
    stretches: tuple[Stretch, ...]


def timeline(begin: datetime, stretches: tuple[Stretch, ...]) -> Timeline | None:
    """The next day, or else the next week, if there is anything to see in it."""
    for lasts in (HOURS, DAYS):
        if any(one.phase != "live" and one.start < begin + lasts for one in stretches):
            return Timeline(begin, lasts, stretches)
    return None


def runs(drawn: Timeline, width: int) -> list[tuple[str, int]]:
    """Phases, and for how many of `width` pieces each lasts; of several in one, the gravest."""
    found: list[tuple[str, int]] = []
    for index in range(width):
        start = drawn.begin + drawn.lasts * index / width
        end = drawn.begin + drawn.lasts * (index + 1) / width
        phases = {one.phase for one in drawn.stretches if one.start < end and start < one.end}
        phase = max(phases, key=_GRAVITY.index, default=UNTOLD)
        if found and found[-1][0] == phase:
            found[-1] = phase, found[-1][1] + 1
        else:
            found.append((phase, 1))
    return found


def scale(drawn: Timeline, width: int) -> str:
    """The times below it, each with its first letter where it is."""
    line = "now"
    for at, text in _ticks(drawn, width):
        column = -(-((at - drawn.begin) * width) // drawn.lasts)
        if len(line) + 2 <= column <= width - len(text):
            line = line.ljust(column) + text
    return line


def _ticks(drawn: Timeline, width: int) -> Iterator[tuple[datetime, str]]:
    """Round local times within it, so far apart that there is room for each."""
    steps = _HOURLY if drawn.lasts == HOURS else _DAILY
    step = next((one for one in steps if one * width >= _ROOM * drawn.lasts), steps[-1])
    begin = drawn.begin.astimezone()
    naive = begin.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    while (at := naive.astimezone()) < begin + drawn.lasts:
        if at > begin:
            yield at, naive.strftime("%H:%M" if steps is _HOURLY else "%a %d")
        naive += step
