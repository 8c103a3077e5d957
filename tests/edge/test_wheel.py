"""The wheel of time-outs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from sorryd.edge.wheel import NEVER, TICK, Wheel


class Waiting:
    """One that waits, and counts how often it did so in vain."""

    def __init__(self, deadline: float, then: Callable[[], None] = lambda: None) -> None:
        self.deadline = deadline
        self.times = 0
        self._then = then

    def timed_out(self) -> None:
        self.times += 1
        self.deadline = NEVER
        self._then()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wheel(clock: Clock) -> Iterator[Wheel]:
    wheel = Wheel(clock, clock.seconds)
    wheel.start()
    yield wheel
    wheel.stop()
    assert clock.getDelayedCalls() == []


def turn(clock: Clock, seconds: float) -> None:
    clock.pump([TICK / 5] * round(seconds / (TICK / 5)))


@pytest.mark.parametrize("timeout", [0.0, 0.1, 1.0, 7.3])
@pytest.mark.parametrize("offset", [0.0, 0.1, 0.24])
def test_never_early(clock: Clock, wheel: Wheel, timeout: float, offset: float) -> None:
    """A time-out set between two ticks fires late by two ticks at most, and never early."""
    clock.advance(offset)
    waiting = Waiting(wheel.now + timeout)
    wheel.add(waiting)
    clock.pump([0.01] * int(timeout / 0.01 - 1))
    assert waiting.times == 0
    turn(clock, 3 * TICK)
    assert waiting.times == 1
    turn(clock, 10.0)
    assert waiting.times == 1


def test_moved(clock: Clock, wheel: Wheel) -> None:
    """A deadline that moves costs nothing and fires where it is."""
    waiting = Waiting(wheel.now + 1)
    wheel.add(waiting)
    for _ in range(10):
        turn(clock, 0.9)
        waiting.deadline = wheel.now + 1
    assert waiting.times == 0
    turn(clock, 2.0)
    assert waiting.times == 1


def test_discarded(clock: Clock, wheel: Wheel) -> None:
    """Who is taken off, even twice, does not fire."""
    waiting = Waiting(wheel.now)
    wheel.add(waiting)
    assert len(wheel) == 1
    wheel.discard(waiting)
    wheel.discard(waiting)
    turn(clock, 1.0)
    assert waiting.times == 0
    assert len(wheel) == 0


def test_add_and_discard_while_ticking(clock: Clock, wheel: Wheel) -> None:
    """A time-out may take itself off and put others on."""
    later = Waiting(wheel.now)

    def then() -> None:
        wheel.discard(first)
        wheel.add(later)

    first = Waiting(wheel.now, then)
    wheel.add(first)
    turn(clock, 1.0)
    assert (first.times, later.times) == (1, 1)


@pytest.mark.parametrize("how", ["moves", "discards"])
def test_one_saves_the_other(clock: Clock, wheel: Wheel, how: str) -> None:
    """A time-out of the same tick that another one has put off does not fire."""
    pair: list[Waiting] = []

    def then() -> None:
        for other in pair:
            if other.times == 0:
                if how == "moves":
                    other.deadline = wheel.now + 100
                else:
                    wheel.discard(other)

    pair += [Waiting(wheel.now, then), Waiting(wheel.now, then)]
    for one in pair:
        wheel.add(one)
    turn(clock, 1.0)
    assert sorted(one.times for one in pair) == [0, 1]


def test_bug_in_one(clock: Clock, wheel: Wheel) -> None:
    """A bug in what one time-out does is logged, and the others still fire."""

    def bug() -> None:
        raise ZeroDivisionError

    first, others = Waiting(wheel.now, bug), [Waiting(wheel.now + n) for n in range(3)]
    for waiting in (first, *others):
        wheel.add(waiting)
    with capturedLogs() as logs:
        turn(clock, 5.0)
    assert [waiting.times for waiting in (first, *others)] == [1, 1, 1, 1]
    assert len(logs) == 1


def test_late_reactor(clock: Clock, wheel: Wheel) -> None:
    """A reactor that was busy for long lets what is due fire once, by the moment that it is."""
    waiting = Waiting(wheel.now + 1)
    wheel.add(waiting)
    clock.advance(1000)
    assert waiting.times == 1
    assert wheel.now == clock.seconds() + TICK
