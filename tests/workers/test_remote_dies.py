"""A worker whose process dies, hangs or can't do what it is told."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.world import NOON, result
from tests.workers.lives import (
    Lives,
    has_fired,
    outfit,
    publishes,
    serving,
    snapshot,
)
from twisted.logger import LogLevel, capturedLogs, formatEvent

from sorryd.reports import WorkerSeen
from sorryd.workers import process
from sorryd.workers.meter import EVERY
from sorryd.workers.orders import (
    Failed,
    Measure,
)
from sorryd.workers.process import PATIENCE


def seen(**fields: Any) -> WorkerSeen:
    """The first worker as it is seen; without more, there is none and never was."""
    nobody = WorkerSeen(number=1, pid=None, since=None, restarts=0, restarted=None)
    return replace(nobody, **fields)


@pytest.mark.parametrize("steps", range(5))
def test_death_at_each_step(lives: Lives, steps: int) -> None:
    """Wherever it was: another one is told all of it, and who waited is answered."""
    worker = lives.remote()
    worker.apply(snapshot(1))
    worker.fit(outfit(1))
    fitted = worker.fitted()
    first = lives.last
    for step in (first.comes, lambda: first.does(1), lambda: first.does(2), first.does)[:steps]:
        step()
    if steps == 4:
        worker.apply(snapshot(2))
        worker.apply(snapshot(3))
    settled = worker.settled()
    first.end()
    assert has_fired(fitted)
    assert has_fired(settled)
    assert not worker.serves
    assert has_fired(worker.settled())
    assert lives.lost == [1]
    worker.apply(snapshot(9))
    lives.clock.advance(0)
    assert lives.last is not first
    lives.last.lives()
    assert lives.last.told() == ["Begin", "Publish", "Fit"]
    assert publishes(lives.last)[0].serial == 9
    assert worker.serves


def test_deaths_are_told(lives: Lives) -> None:
    """The log says who has died, and when another one comes; so does what is seen."""
    worker = serving(lives)
    assert worker.seen == seen(pid=100, since=NOON)
    lives.clock.advance(60)
    with capturedLogs() as log:
        lives.last.end()
        assert worker.seen == seen(restarts=1, restarted=NOON + 60)
        lives.clock.advance(0)
        lives.last.end()
    assert [(event["log_level"], formatEvent(event)) for event in log] == [
        (LogLevel.error, "worker 1 (process 100) has died; another one is started"),
        (LogLevel.error, "worker 1 could not be started; another one is started in 0.1 s"),
    ]


def test_one_that_keeps_dying(lives: Lives) -> None:
    """It is started at longer and longer intervals, until one has lived for a while."""
    worker = serving(lives)
    waits = []
    for _ in range(12):
        lives.last.end()
        (again,) = lives.clock.getDelayedCalls()
        waits.append(again.getTime() - lives.clock.seconds())
        lives.clock.advance(waits[-1])
        lives.last.comes()
    assert waits == pytest.approx([0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])
    assert worker.seen is not None
    assert worker.seen.restarts == 12
    lives.last.does()
    lives.clock.advance(20)
    lives.last.end()
    lives.clock.advance(0)
    assert len(lives.all) == 14


def test_no_process_to_be_had(lives: Lives) -> None:
    """The daemon goes on, says why, and tries again; who waits is not left waiting."""
    lives.refusal = OSError(24, "Too many open files")
    with capturedLogs() as log:
        worker = lives.remote()
        worker.apply(snapshot(1))
        worker.fit(outfit(1))
        assert has_fired(worker.settled())
        assert result(worker.active()) == ()
        worker.look()
        lives.clock.advance(0)
        lives.refusal = None
        lives.clock.advance(0.1)
    lives.last.lives()
    assert worker.serves
    assert [formatEvent(event) for event in log] == [
        "worker 1 can't be started: too many open files; another one is started",
        "worker 1 can't be started: too many open files; another one is started in 0.1 s",
    ]


def test_no_descriptor_for_its_channel(lives: Lives, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where one was asked for: it is given up, and the next one is tried."""

    def refuse(*_: object) -> None:
        raise OSError(24, "Too many open files")

    worker = serving(lives)
    with monkeypatch.context() as patch:
        patch.setattr(process, "open_channel", refuse)
        lives.last.end()
        lives.clock.advance(0)
    assert has_fired(worker.settled())
    lives.clock.advance(0.1)
    lives.last.lives()
    assert worker.serves


def test_one_that_hangs(lives: Lives) -> None:
    """One that shows no life is asked for it, and killed if it does not answer."""
    worker, life = serving(lives), lives.last

    def pass_time(seconds: float) -> None:
        for _ in range(int(seconds)):
            lives.clock.advance(1)
            worker.look()

    worker.look()
    assert Measure() not in life.orders
    pass_time(EVERY)
    assert life.orders.count(Measure()) == 1
    life.does()
    pass_time(EVERY + PATIENCE - 1)
    assert life.orders.count(Measure()) == 2
    assert not life.was_killed
    pass_time(1)
    assert life.was_killed


def test_sockets_that_can_not_be_sent(lives: Lives) -> None:
    """Without a descriptor left it serves as before, the log says so, and it is tried again."""
    worker = serving(lives)
    lives.last.fault = OSError(24, "Too many open files")
    with capturedLogs() as log:
        worker.fit(outfit(1, 2, 3))
    assert not worker.serves
    assert has_fired(worker.settled())
    lives.last.fault = None
    worker.look()
    lives.last.does()
    assert worker.serves
    assert lives.last.fds[-1] == [30]
    assert [formatEvent(event) for event in log] == [
        "worker 1 can't get its sockets: too many open files"
    ]


def test_order_that_failed(lives: Lives) -> None:
    """It is not killed for that; the next time it gets all sockets anew."""
    worker = serving(lives)
    worker.fit(outfit(1, 2, 3))
    lives.last.says(Failed(order="Fit"))
    lives.last.does()
    assert not worker.serves
    worker.fit(outfit(1, 2, 3))
    lives.last.does()
    assert worker.serves
    assert lives.last.fds[-1] == [10, 20, 30]
    lives.last.says(Failed(order="Show"))
    assert worker.serves
    assert not lives.last.was_killed
