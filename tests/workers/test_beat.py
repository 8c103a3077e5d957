"""A worker looks at the time by itself."""

from __future__ import annotations

import math

import pytest
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs

from sorryd.workers.beat import BEAT, Beat


class Stage:
    """A beat on a clock that is turned; the wall clock may be stepped apart from it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.step = 0.0
        self.due = math.inf
        self.looks: list[float] = []
        self.is_broken = False
        self.beat = Beat(self.clock, self.now, self.look, lambda: self.due)

    def now(self) -> float:
        return self.clock.seconds() + self.step

    def look(self) -> None:
        self.looks.append(self.clock.seconds())
        if self.due <= self.now():
            self.due = math.inf
        if self.is_broken:
            raise ValueError


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_each_second(stage: Stage) -> None:
    """It looks at once, and then each second, whatever nobody told it."""
    stage.beat.start()
    stage.clock.pump([0.5] * 6)
    assert stage.looks == [0, BEAT, 2 * BEAT, 3 * BEAT]


def test_at_the_instant(stage: Stage) -> None:
    """What is due sooner is looked at then, by the wall clock."""
    stage.step, stage.due = 1000.0, 1000.25
    stage.beat.start()
    stage.clock.advance(0.25)
    assert stage.looks == [0, 0.25]
    stage.due = 1000.75
    stage.beat.start()
    stage.clock.advance(0.5)
    assert stage.looks == [0, 0.25, 0.25, 0.75]


def test_clock_that_is_set(stage: Stage) -> None:
    """A step of the wall clock is seen within a second."""
    stage.due = 3600
    stage.beat.start()
    stage.step = 3600
    stage.clock.advance(BEAT)
    assert stage.looks == [0, BEAT]
    assert stage.due == math.inf


def test_bug(stage: Stage) -> None:
    """It goes on after a look that failed, and the log has it."""
    stage.is_broken = True
    with capturedLogs() as log:
        stage.beat.start()
    assert log[0]["log_level"] is LogLevel.critical
    stage.clock.advance(BEAT)
    assert len(stage.looks) == 2


def test_stopped(stage: Stage) -> None:
    """Then it looks no more; to stop twice, or what never began, is fine."""
    stage.beat.stop()
    stage.beat.start()
    stage.beat.stop()
    stage.beat.stop()
    stage.clock.advance(10 * BEAT)
    assert stage.looks == [0]
