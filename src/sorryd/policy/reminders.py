"""When to warn of a site that is down without an end. Pure: no clock, no I/O.

An open-ended down is never ended by itself. Once it has lasted for the limit it is warned of, and
again each day after that. Whether a warning is due is asked of the clock and of when the last one
was given, so that no restart repeats or loses one, and a clock that is set wrong floods nobody.
"""

from __future__ import annotations

from typing import Final

from sorryd.model import Phase
from sorryd.policy.windows import Standing
from sorryd.times import format_duration

EVERY: Final = 86400.0
"""Seconds between two warnings of the same down."""


def open_since(standing: Standing) -> float | None:
    """The instant since which a site is down with no end in sight; None where it is not."""
    if standing.phase is not Phase.DOWN or standing.until is not None:
        return None
    return standing.since


def is_due(since: float | None, limit: float, last: float | None, now: float) -> bool:
    """Whether to warn at the instant `now` of a site that is down since the instant `since`.

    `last` is the instant of the last warning; one of a day ahead, or more, is of a clock that
    was wrong, and does not count.
    """
    if since is None or now < since + limit:
        return False
    if last is None or last < since + limit or last >= now + EVERY:
        return True
    return _day(now - since - limit) > _day(last - since - limit)


def warning(since: float, now: float) -> str:
    """What an operator is told, to the minute."""
    lasts = format_duration(max(now - since, 0.0) // 60 * 60)
    return f"down for {lasts}, and no end is set: sorryctl up ends it, sorryctl extend sets an end"


def _day(seconds: float) -> float:
    return seconds // EVERY
