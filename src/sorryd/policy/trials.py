"""Which of several workers may try a member that has rested. Pure: moments, no clock, no I/O.

Only one of them may at a time, or the members would get as many trials as there are workers.
Whoever has the leave says when a trial begins, and when one ended without a verdict. In between
the leave stays; unused, it passes to the next worker, so that the member's return does not hang
on where visitors are:

    WAITING   -- the holder begins a trial -->          IN FLIGHT
    WAITING   -- patience is over -->                   WAITING at the next worker
    IN FLIGHT -- over without a verdict -->             WAITING
    any       -- the holder died -->                    WAITING at the next worker
    any       -- a verdict: up, or another rest -->     no leave
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from sorryd.model import Value

PATIENCE: Final = 0.25
"""Seconds that a leave stays unused at one worker, the first time round."""

LONGEST: Final = 4.0
"""Seconds up to which that grows, twofold with each round: where nobody comes, nobody waits."""


class Leave(Value, frozen=True):
    """The leave to try one member, and who has it: `worker`, from 1.

    `until` is the moment at which it passes on; None while a trial is in flight. `patience` is
    in seconds.
    """

    worker: int
    until: float | None
    patience: float = PATIENCE


def granted(now: float) -> Leave:
    """The member has rested: at the moment `now` the first worker gets the leave."""
    return Leave(worker=1, until=now + PATIENCE)


def begun(leave: Leave, worker: int) -> Leave:
    """A trial is in flight from `worker`.

    It may be that the leave has passed on just then: as long as nobody else has begun, it goes
    back.
    """
    if worker != leave.worker and leave.until is None:
        return leave
    return replace(leave, worker=worker, until=None)


def over(leave: Leave, worker: int, now: float) -> Leave:
    """The trial of `worker` is over, and nobody knows more of the member than before."""
    if worker != leave.worker or leave.until is not None:
        return leave
    return replace(leave, until=now + leave.patience)


def passed(leave: Leave, now: float, workers: int) -> Leave:
    """It is the moment `now`: the leave may pass to the next of so many `workers`."""
    if leave.until is None or now < leave.until:
        return leave
    return _next(leave, now, workers)


def lost(leave: Leave, worker: int, now: float, workers: int) -> Leave:
    """A worker has died, and its trial with it."""
    return _next(leave, now, workers) if leave.worker == worker else leave


def _next(leave: Leave, now: float, workers: int) -> Leave:
    worker = leave.worker % workers + 1
    patience = leave.patience
    if worker == 1:
        patience = min(2 * patience, LONGEST)
    return Leave(worker=worker, until=now + patience, patience=patience)
