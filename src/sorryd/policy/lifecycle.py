"""The lifecycle of a site, as a table: every move from phase to phase, and what makes it. Pure.

    live -> announced -> draining -> down -> verifying -> live

`windows.standing` says where a site stands at an instant; here is which standing may follow
which, as the instants go by. All moves are in `MOVES`; nothing makes a site verify that was
not down, and what was drained drains again only where it is said. Two looks at a site may all
the same be so far apart, over a time when sorryd did not run or its clock was set, or a plan or
the configuration may have been changed so much between them, that none of these was seen: such
a move has *leapt*.
"""

from __future__ import annotations

import enum
from typing import Final

from sorryd.model import Cause, Phase, Value
from sorryd.policy.acting import recovery
from sorryd.policy.windows import Standing
from sorryd.window import Window


class Event(enum.StrEnum):
    """What makes a site move from one phase to another."""

    ANNOUNCED = "announced"  # a window begins within `announce`
    CANCELLED = "cancelled"  # what was announced was taken back or moved
    BEGAN = "began"  # a window, planned or by hand
    BEGAN_UNDRAINED = "began undrained"  # ... without drain, or when it was over already
    DRAINED = "drained"  # the drain time is over
    END_CAME = "end came"
    ENDED = "ended"  # by hand, before its end or when it was stuck
    TO_BE_VERIFIED = "to be verified"  # the end came, and members must be found healthy first
    VERIFIED = "verified"  # they were
    GAVE_UP_OPEN = "gave up open"  # they were not in time, and the site opens all the same
    GAVE_UP_STAY = "gave up stay"  # they were not in time, and the site stays down
    FILE_APPEARED = "sorry file appeared"
    FILE_GONE = "sorry file gone"
    LEAPT = "leapt"  # what was between was not seen


class Transition(Value, frozen=True, kw_only=True):
    """One move of a site."""

    before: Phase
    after: Phase
    event: Event


_LIVE, _ANNOUNCED = (Phase.LIVE,), (Phase.ANNOUNCED,)
_DRAINING, _DOWN, _VERIFYING = (Phase.DRAINING,), (Phase.DOWN,), (Phase.VERIFYING,)
_SERVES = _LIVE + _ANNOUNCED  # back in service, the next window may be near

_ROWS: Final = (
    # from, to, by one of
    (_LIVE, _ANNOUNCED, (Event.ANNOUNCED,)),
    (_LIVE + _ANNOUNCED, _DRAINING, (Event.BEGAN, Event.FILE_APPEARED)),
    (_LIVE + _ANNOUNCED, _DOWN, (Event.BEGAN_UNDRAINED, Event.FILE_APPEARED)),
    # A window on a part of the site begins, and the site is live beside it.
    (_ANNOUNCED, _LIVE, (Event.CANCELLED, Event.BEGAN)),
    (_DRAINING, _DOWN, (Event.DRAINED, Event.FILE_GONE)),
    (_DRAINING + _DOWN, _SERVES, (Event.END_CAME, Event.ENDED, Event.FILE_GONE)),
    (_DRAINING + _DOWN, _VERIFYING, (Event.TO_BE_VERIFIED, Event.ENDED, Event.FILE_GONE)),
    # A window that began under the file has a drain of its own.
    (_DOWN, _DRAINING, (Event.FILE_GONE,)),
    (_VERIFYING, _SERVES, (Event.VERIFIED, Event.GAVE_UP_OPEN, Event.ENDED)),
    (_VERIFYING, _DOWN, (Event.GAVE_UP_STAY, Event.BEGAN, Event.FILE_APPEARED)),
)

MOVES: Final = frozenset(
    Transition(before=before, after=after, event=event)
    for origins, goals, events in _ROWS
    for before in origins
    for after in goals
    for event in events
)
"""All moves that there are."""


def transition(
    site: str, before: Standing, after: Standing, now: float, window: Window | None = None
) -> Transition | None:
    """The move of `site` from one standing to the next, seen at the instant `now`.

    `window` is the one that governed `before`, as it is now. None: it is in the same phase.
    """
    if before.phase is after.phase:
        return None
    event = _event(site, before, after, now, window)
    move = Transition(before=before.phase, after=after.phase, event=event)
    return move if move in MOVES else leap(before.phase, after.phase)


def leap(before: Phase, after: Phase) -> Transition:
    """The move of a site that was not looked at between the two."""
    return Transition(before=before, after=after, event=Event.LEAPT)


def _event(
    site: str, before: Standing, after: Standing, now: float, window: Window | None
) -> Event:
    """What the move looks like; `MOVES` tells whether there is such a one."""
    if before.cause is not Cause.FILE and after.cause is Cause.FILE:
        return Event.DRAINED if before.phase is Phase.DRAINING else Event.FILE_APPEARED
    if before.cause is Cause.FILE and after.cause is not Cause.FILE:
        return Event.FILE_GONE
    if before.phase.serves:
        return _opened(before, after, now)
    if before.phase is Phase.VERIFYING:
        return _verified(site, after, window)
    return _closed(before, after, now)


def _opened(before: Standing, after: Standing, now: float) -> Event:
    """The site was in service."""
    if after.phase is Phase.ANNOUNCED:
        return Event.ANNOUNCED
    if after.phase is Phase.LIVE:
        has_begun = before.next is not None and before.next.start <= now
        return Event.BEGAN if has_begun else Event.CANCELLED
    return Event.BEGAN if after.phase is Phase.DRAINING else Event.BEGAN_UNDRAINED


def _verified(site: str, after: Standing, window: Window | None) -> Event:
    """The site was verifying; `window` has what came of it."""
    if window is not None and window.gave_up is not None:
        return Event.GAVE_UP_OPEN if after.phase.serves else Event.GAVE_UP_STAY
    if not after.phase.serves:
        return Event.BEGAN
    is_healthy = window is not None and (
        window.verified is not None or recovery(window, site) is not None
    )
    return Event.VERIFIED if is_healthy else Event.ENDED


def _closed(before: Standing, after: Standing, now: float) -> Event:
    """The site was draining or down."""
    if after.phase is Phase.DOWN:
        return Event.DRAINED
    has_come = before.until is not None and before.until <= now
    if after.phase is Phase.VERIFYING:
        return Event.TO_BE_VERIFIED if has_come else Event.ENDED
    if after.phase is Phase.DRAINING:
        return Event.LEAPT
    return Event.END_CAME if has_come else Event.ENDED
