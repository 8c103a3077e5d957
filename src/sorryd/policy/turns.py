"""What of a site's standing is worth a line of the history. Pure: no clock, no I/O.

A line is written where the phase, or its cause, is another than in the last line, whenever that
was: so a restart repeats nothing, and tells what has changed meanwhile.
"""

from __future__ import annotations

import math
from typing import assert_never

from sorryd.facts import PhaseTurned
from sorryd.model import Cause, Phase
from sorryd.policy.acting import patience
from sorryd.policy.lifecycle import leap, transition
from sorryd.policy.windows import Standing
from sorryd.window import Window


def is_news(last: PhaseTurned | None, standing: Standing) -> bool:
    """Whether a site that stands so has another phase or cause than when `last` was told."""
    return _of(last) != (standing.phase, standing.cause)


def turn(
    site: str,
    last: PhaseTurned | None,
    before: Standing | None,
    left: Window | None,
    standing: Standing,
    window: Window | None,
    now: float,
) -> PhaseTurned:
    """What to tell of `site` that stands so at the instant `now`, after `last` was told.

    `before` is where it stood at the look before, None: there was none; `left` is the window
    that governed it then, as it is now, `window` the one that governs now.
    """
    phase, cause = _of(last)
    is_announced = standing.phase is Phase.ANNOUNCED and window is not None
    return PhaseTurned(
        before=phase,
        after=standing.phase,
        event=_event(site, phase, before, left, standing, now),
        was=cause,
        cause=standing.cause,
        deadline=deadline(standing, window),
        start=window.start if is_announced and window else standing.since,
        until=window.end if is_announced and window else standing.until,
        until_text=standing.until_text,
        reasons=window.reasons if is_announced and window else standing.reasons,
        planner=None if window is None else window.author,
    )


def governing(standing: Standing) -> str | None:
    """The id of the window that makes a site stand so: that holds it, or is announced."""
    if standing.phase is Phase.ANNOUNCED and standing.next is not None:
        return standing.next.id
    return standing.window


def deadline(standing: Standing, window: Window | None) -> float | None:
    """The instant at which the phase turns by itself; None where it does not.

    `window` is the one that governs.
    """
    match standing.phase:
        case Phase.LIVE:
            return _finite(standing.holds_until)
        case Phase.ANNOUNCED:
            return None if standing.next is None else standing.next.start
        case Phase.DRAINING:
            return None if standing.since is None else standing.since + standing.drain
        case Phase.DOWN:
            return standing.until
        case Phase.VERIFYING:
            return None if window is None else _finite(patience(window))
        case _:
            assert_never(standing.phase)


def _of(last: PhaseTurned | None) -> tuple[Phase, Cause | None]:
    return (Phase.LIVE, None) if last is None else (last.after, last.cause)


def _event(
    site: str,
    phase: Phase,
    before: Standing | None,
    left: Window | None,
    standing: Standing,
    now: float,
) -> str | None:
    if phase is standing.phase:
        return None
    if before is None or before.phase is not phase:
        return leap(phase, standing.phase).event
    move = transition(site, before, standing, now, left)
    return None if move is None else move.event


def _finite(instant: float) -> float | None:
    return None if instant == math.inf else instant
