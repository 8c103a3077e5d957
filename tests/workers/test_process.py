"""One process of a worker: what is waited for, how long, and that none is left behind."""

from __future__ import annotations

import pytest
from tests.workers.lives import Life, Lives
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from sorryd.reports import MemberFailed
from sorryd.workers.orders import Count, Hurry, Order, Reported, Word
from sorryd.workers.process import BIRTH, DYING, PATIENCE, Process

FAILED = Reported(report=MemberFailed(site="shop", url="http://a", why="refused"))


class Stage:
    """A process, and what is heard of it."""

    def __init__(self, lives: Lives) -> None:
        self.lives = lives
        self.clock = lives.clock
        self.told: list[Word | str] = []
        self.first: list[Order] = [Count()]
        self.process = Process(
            lives.clock,
            lives.fork(),
            "worker 1",
            self._born,
            self.told.append,
            lambda: self.told.append("progressed"),
            lambda: self.told.append("ended"),
        )

    @property
    def life(self) -> Life:
        return self.lives.last

    def _born(self) -> None:
        for order in self.first:
            self.process.order(order)

    def settled(self) -> list[None]:
        """A list that is not empty once it is settled."""
        found: list[None] = []
        self.process.settled().addCallback(found.append)
        return found


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(Lives(monkeypatch))


def test_nothing_is_ordered_before_it_is_there(stage: Stage) -> None:
    """One that was given up before it came has heard nothing that it could do."""
    assert stage.life.orders == []
    stage.life.comes()
    assert stage.life.orders == [Count()]
    assert stage.process.pid == stage.life.pid


def test_settled(stage: Stage) -> None:
    """What was told before is waited for, and nothing that comes later."""
    before = stage.settled()
    stage.life.comes()
    first = stage.settled()
    stage.process.order(Hurry())
    second = stage.settled()
    assert [before, first, second] == [[], [], []]
    assert not stage.process.is_settled
    stage.life.does(1)
    assert before
    assert first
    assert not second
    stage.life.does(2)
    assert second
    assert stage.process.is_settled
    assert stage.settled()


def test_settled_before_it_is_there(stage: Stage) -> None:
    """Who asks early waits for what it is told at its birth."""
    stage.first = []
    early = stage.settled()
    stage.life.comes()
    assert early


def test_words(stage: Stage) -> None:
    """Its words are passed on in their order, and its progress between them."""
    stage.life.comes()
    stage.life.says(FAILED)
    stage.life.does()
    stage.life.end()
    assert stage.told == [FAILED, "progressed", "ended"]


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_death_answers_who_waits(stage: Stage, steps: int) -> None:
    """Whatever it was doing: who waited is answered, and it can be told nothing more."""
    early = stage.settled()
    for step in (stage.life.comes, lambda: stage.life.does(1))[:steps]:
        step()
    waiting = stage.settled()
    stage.process.order(Hurry())
    late = stage.settled()
    orders = len(stage.life.orders)
    stage.life.end()
    assert early
    assert waiting
    assert late
    assert stage.process.is_over
    stage.process.order(Hurry())
    assert len(stage.life.orders) == orders
    assert stage.settled()
    stage.clock.advance(1000)
    assert stage.told.count("ended") == 1


def test_never_there(stage: Stage) -> None:
    """One that does not come in time is given up, and the log says so."""
    with capturedLogs() as log:
        stage.clock.advance(BIRTH - 0.1)
        assert not stage.process.is_over
        stage.clock.advance(0.1)
    assert stage.process.is_over
    assert stage.life.was_aborted
    assert [formatEvent(event) for event in log] == [
        "worker 1 (process None) is not there within 30 s, and is killed"
    ]


def test_first_order_may_take_long(stage: Stage) -> None:
    """A machine that starts has much to do."""
    stage.life.comes()
    stage.clock.advance(BIRTH - 0.1)
    assert not stage.life.was_killed
    stage.clock.advance(0.1)
    assert stage.life.was_killed


def test_patience(stage: Stage) -> None:
    """One that carries out nothing is killed, and the log says so; each order is a new start."""
    stage.life.lives()
    stage.process.order(Hurry())
    stage.process.order(Hurry())
    waiting = stage.settled()
    stage.clock.advance(PATIENCE - 0.1)
    stage.life.does(2)
    stage.clock.advance(PATIENCE - 0.1)
    assert not stage.life.was_killed
    with capturedLogs() as log:
        stage.clock.advance(0.1)
    assert stage.life.was_killed
    assert waiting
    assert [formatEvent(event) for event in log] == [
        "worker 1 (process 100) did not carry out an order within 10 s, and is killed"
    ]


def test_held_up_ourselves(stage: Stage) -> None:
    """Who was stopped, and goes on, does not take it out on a worker that has long answered."""
    stage.life.lives()
    stage.process.order(Hurry())
    stage.clock.advance(PATIENCE + 60)
    assert not stage.life.was_killed
    stage.clock.advance(PATIENCE)
    assert stage.life.was_killed


def test_rest_is_no_delay(stage: Stage) -> None:
    """One that was told nothing is waited for no longer than it takes to tell it something."""
    stage.life.lives()
    stage.clock.advance(10 * PATIENCE)
    assert not stage.life.was_killed


def test_one_that_the_kernel_does_not_end(stage: Stage) -> None:
    """It is waited for a moment, and then is over all the same: it runs no more."""
    stage.life.is_mortal = False
    stage.life.lives()
    stage.process.order(Hurry())
    waiting = stage.settled()
    stage.process.kill()
    stage.process.kill()
    assert not waiting
    stage.clock.advance(DYING)
    assert waiting
    assert stage.life.was_aborted


@pytest.mark.parametrize("is_asked", [True, False])
def test_no_stray(monkeypatch: pytest.MonkeyPatch, is_asked: bool) -> None:
    """One whose channel ends is killed: it could serve on. Not so one that was to end."""
    stage = Stage(Lives(monkeypatch))
    stage.life.lives()
    if is_asked:
        stage.process.let_go()
    stage.life.end()
    assert stage.life.was_killed is not is_asked
    assert stage.life.was_let_go


def test_order_that_can_not_be_sent(stage: Stage) -> None:
    """It counts for nothing where no descriptor can be sent, and what follows is waited for."""
    stage.life.lives()
    stage.life.fault = OSError(24, "Too many open files")
    with pytest.raises(OSError, match="Too many"):
        stage.process.order(Count(), [3])
    assert stage.process.is_settled
    assert stage.process.order(Hurry()) == 2


def test_settled_is_answered_once(stage: Stage) -> None:
    """Who is answered may ask and order again at once."""
    again: list[Deferred[None]] = []

    def more(_: None) -> None:
        stage.process.order(Hurry())
        again.append(stage.process.settled())

    stage.life.comes()
    stage.process.settled().addCallback(more)
    stage.life.does(1)
    assert not again[0].called
    stage.life.does(2)
    assert again[0].called
