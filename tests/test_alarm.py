"""The alarm looks at least every second, and at the instant that it was asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from sorryd.alarm import Alarm


class Wall:
    """A wall clock that runs with `clock`, and can be stepped."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.seconds = seconds
        self.offset = 1_800_000_000.0

    def now(self) -> float:
        return self.seconds() + self.offset


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("step", [0.0, -3600.0, 3600.0], ids=["steady", "back", "forth"])
def test_a_look_each_second(clock: Clock, step: float) -> None:
    """There is a look at the start and in each second, also when the wall clock steps."""
    wall, looks = Wall(clock.seconds), []

    def look() -> None:
        looks.append(clock.seconds())
        alarm.wake_at(wall.now() + 1000)

    alarm = Alarm(clock, wall.now, look)
    alarm.start()
    clock.pump([0.5] * 5)
    wall.offset += step
    clock.pump([0.5] * 5)
    alarm.stop()
    assert looks == [0, 1, 2, 3, 4, 5]
    assert clock.getDelayedCalls() == []


def test_stop_leaves_nothing(clock: Clock) -> None:
    """A stopped alarm leaves no call in the reactor, looks no more, and can be stopped again."""
    looks: list[float] = []
    alarm = Alarm(clock, clock.seconds, lambda: looks.append(clock.seconds()))
    alarm.stop()
    alarm.wake_at(5)
    assert clock.getDelayedCalls() == []
    alarm.start()
    alarm.wake_at(0)  # is due at once, so a look is on its way
    alarm.wake_at(math.inf)
    alarm.wake_at(0.2)
    alarm.stop()
    alarm.stop()
    assert clock.getDelayedCalls() == []
    clock.advance(10)
    assert looks == [0]


def test_a_failing_look_is_logged(clock: Clock) -> None:
    """A look that raises is logged, and the next one comes all the same."""
    looks: list[float] = []

    def look() -> None:
        looks.append(clock.seconds())
        raise RuntimeError("no luck")

    with capturedLogs() as events:
        alarm = Alarm(clock, clock.seconds, look)
        alarm.start()
        clock.advance(1)
        alarm.stop()
    assert looks == [0, 1]
    failures = [event["log_failure"].value for event in events if "log_failure" in event]
    assert [str(failure) for failure in failures] == ["no luck", "no luck"]


@pytest.fixture
def reactor() -> Iterator[EPollReactor]:
    """A reactor of the test's own, on the monotonic clock as the service sets it."""
    reactor = EPollReactor()
    reactor.seconds = time.monotonic
    yield reactor
    assert reactor.getDelayedCalls() == []
    reactor.removeAll()
    for reader in tuple(reactor._internalReaders):
        reader.connectionLost(None)
    reactor._poller.close()


def run(reactor: EPollReactor, limit: float) -> None:
    """Run `reactor` until it is stopped; fail where that takes longer than `limit` seconds."""
    watchdog = reactor.callLater(limit, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert watchdog.active(), "nothing stopped the reactor"
    watchdog.cancel()


def test_on_the_instant(reactor: EPollReactor) -> None:
    """Each asked instant gets a look of its own, long before the beat would bring one."""
    wall = Wall(time.monotonic)
    edges = [wall.now() + wait for wait in (0.1, 0.101, 0.2, 0.3)]
    first: dict[float, float] = {}

    def look() -> None:
        now = wall.now()
        for edge in edges:
            if edge <= now:
                first.setdefault(edge, now)
        if len(first) == len(edges):
            alarm.stop()
            reactor.stop()
        alarm.wake_at(min((edge for edge in edges if edge > now), default=math.inf))

    alarm = Alarm(reactor, wall.now, look)
    reactor.callWhenRunning(alarm.start)
    run(reactor, 10)
    assert all(0.0 <= first[edge] - edge < 0.65 for edge in edges)


def test_on_the_instant_after_a_step(reactor: EPollReactor) -> None:
    """After the wall clock stepped back an hour, the next instant is hit, not the next beat."""
    wall = Wall(time.monotonic)
    asked = wall.now() + 1.1
    late: list[float] = []

    def look() -> None:
        if not late and wall.offset == 1_800_000_000.0:
            wall.offset -= 3600  # just after the alarm was told of an instant an hour too far
            return
        edge = asked - 3600
        if wall.now() >= edge:
            late.append(wall.now() - edge)
            alarm.stop()
            reactor.stop()
        else:
            alarm.wake_at(edge)

    alarm = Alarm(reactor, wall.now, look)

    def start() -> None:
        alarm.start()
        alarm.wake_at(asked)

    reactor.callWhenRunning(start)
    run(reactor, 10)
    assert len(late) == 1
    assert 0.0 <= late[0] < 0.85


def test_a_late_alarm_still_rings(reactor: EPollReactor) -> None:
    """A process that was stalled for seconds looks as soon as it runs again."""
    looks: list[float] = []

    def look() -> None:
        looks.append(time.monotonic())
        if len(looks) == 3:  # at the start, at the late beat, at the late instant
            alarm.stop()
            reactor.stop()

    alarm = Alarm(reactor, time.time, look)

    def stall() -> None:
        alarm.start()
        alarm.wake_at(time.time() + 0.01)
        time.sleep(1.2)  # the stall itself

    reactor.callWhenRunning(stall)
    started = time.monotonic()
    run(reactor, 10)
    assert looks[2] - started < 2.1
