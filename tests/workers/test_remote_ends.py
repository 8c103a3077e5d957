"""A worker that is told to go, and the end of its process."""

from __future__ import annotations

import pytest
from tests.workers.lives import (
    Lives,
    has_fired,
    publishes,
    serving,
    snapshot,
)
from twisted.logger import capturedLogs

from sorryd.workers.orders import (
    Retire,
    Stop,
)
from sorryd.workers.process import PATIENCE
from sorryd.workers.remote import HURRY, PARTING


def test_retiring(lives: Lives) -> None:
    """It hears of windows until it ends, is not replaced, and may take its time."""
    worker = serving(lives)
    over = worker.retire(60)
    assert lives.last.orders[-1] == Retire(limit=60)
    lives.last.does()
    worker.apply(snapshot(2))
    assert publishes(lives.last)[-1].serial == 2
    lives.last.does()
    lives.clock.advance(60)
    assert not has_fired(over)
    with capturedLogs() as log:
        lives.last.end()
    assert over.called
    assert not lives.last.was_killed
    assert log == []
    assert lives.lost == [1], "a leave to try a member may have been its"
    lives.clock.advance(1000)
    assert len(lives.all) == 1


@pytest.mark.parametrize("is_asked_to_stop", [True, False])
def test_overdue(lives: Lives, is_asked_to_stop: bool) -> None:
    """One that does not end long after its limit is killed."""
    worker = serving(lives)
    over = worker.stop(30) if is_asked_to_stop else worker.retire(30)
    lives.last.does()
    lives.clock.advance(30 + PARTING - 0.1)
    assert not lives.last.was_killed
    lives.clock.advance(0.1)
    assert lives.last.was_killed
    assert over.called


def test_stop_while_retiring(lives: Lives) -> None:
    """Stopping counts from then on, and the limit of it; both are over with the process."""
    worker = serving(lives)
    retired = worker.retire(1000)
    stopped = worker.stop(5)
    again = worker.stop(5)
    worker.retire(1000)
    assert lives.last.told()[-2:] == ["Retire", "Stop"]
    assert lives.last.orders[-1] == Stop(limit=5)
    lives.last.does()
    lives.clock.advance(5 + PARTING)
    assert lives.last.was_killed
    assert retired.called
    assert stopped.called
    assert again.called
    assert lives.lost == [], "nobody has to be told any more"


def test_hurry(lives: Lives) -> None:
    """Who asks twice does not wait for one that hangs, either."""
    worker = serving(lives)
    worker.hurry()
    over = worker.stop(1000)
    lives.last.does()
    lives.clock.advance(60)
    worker.hurry()
    assert lives.last.told()[-3:] == ["Hurry", "Stop", "Hurry"]
    lives.clock.advance(HURRY - 0.1)
    assert not lives.last.was_killed
    lives.clock.advance(0.1)
    assert lives.last.was_killed
    assert over.called
    worker.hurry()


def test_hung_while_retiring(lives: Lives) -> None:
    """One that does not take the order is killed as ever, and is over then."""
    worker = serving(lives)
    over = worker.retire(1000)
    lives.clock.advance(PATIENCE)
    assert lives.last.was_killed
    assert over.called
    lives.clock.advance(1000)
    assert len(lives.all) == 1


def test_end_before_it_is_there(lives: Lives) -> None:
    """One that has not come yet is not waited for."""
    worker = lives.remote()
    over = worker.stop(30)
    assert lives.last.was_aborted
    assert over.called
    lives.clock.advance(1000)
    assert len(lives.all) == 1


def test_end_while_there_is_none(lives: Lives) -> None:
    """Between two lives there is nothing to end, and no other one follows."""
    worker = serving(lives)
    lives.last.end()
    assert has_fired(worker.retire(30))
    assert has_fired(worker.stop(30))
    lives.clock.advance(1000)
    assert len(lives.all) == 1
