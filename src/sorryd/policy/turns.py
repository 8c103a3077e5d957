"""What of a site's standing is worth a line of the history. Pure: no clock, no I/O.

A line is written where the phase, or its cause, is another than in the last line, whenever that
was: so a restart repeats nothing, and tells what has changed meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import assert_never

from sorryd.facts import PhaseTurned
from sorryd.model import Phase
from sorryd.policy.windows import Standing
from sorryd.window import Window


def turn(
    last: PhaseTurned | None, standing: Standing, windows: Iterable[Window]
) -> PhaseTurned | None:
    """What to tell of a site that stands so, after `last` was told; None where it is no news.

    `windows` are those of the site.
    """
    before, was = (Phase.LIVE, None) if last is None else (last.after, last.cause)
    if (before, was) == (standing.phase, standing.cause):
        return None
    window = governing(standing, windows)
    is_announced = standing.phase is Phase.ANNOUNCED and window is not None
    return PhaseTurned(
        before=before,
        after=standing.phase,
        was=was,
        cause=standing.cause,
        deadline=deadline(standing, window),
        start=window.start if is_announced and window else standing.since,
        until=window.end if is_announced and window else standing.until,
        until_text=standing.until_text,
        reasons=window.reasons if is_announced and window else standing.reasons,
        planner=None if window is None else window.author,
    )


def governing(standing: Standing, windows: Iterable[Window]) -> Window | None:
    """The window that makes a site stand so: the one that holds it, or is announced."""
    if standing.phase is Phase.ANNOUNCED:
        return standing.next
    if standing.window is None:
        return None
    return next((window for window in windows if window.id == standing.window), None)


def deadline(standing: Standing, window: Window | None) -> float | None:
    """The instant at which the phase turns by itself; None where it does not.

    `window` is the one that governs.
    """
    match standing.phase:
        case Phase.LIVE:
            return None if standing.holds_until == math.inf else standing.holds_until
        case Phase.ANNOUNCED:
            return None if standing.next is None else standing.next.start
        case Phase.DRAINING:
            return None if standing.since is None else standing.since + standing.drain
        case Phase.DOWN:
            return standing.until
        case Phase.VERIFYING:
            return _verified_until(window)
        case _:
            assert_never(standing.phase)


def _verified_until(window: Window | None) -> float | None:
    """The end of the wait for healthy members after `window`."""
    if window is None or window.end is None or window.until_healthy is None:
        return None
    return None if window.gave_up is not None else window.end + window.until_healthy
