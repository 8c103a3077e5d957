"""The grace of requests in flight: by the monotonic clock, whatever the wall clock does."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from sorryd.edge.drain import Drain
from sorryd.edge.wheel import TICK, Wheel
from sorryd.model import Phase
from sorryd.policy.windows import Standing

LIVE = Standing(phase=Phase.LIVE)
DRAINING = Standing(phase=Phase.DRAINING, drain=30.0)
DOWN = Standing(phase=Phase.DOWN, drain=30.0)
AT_ONCE = Standing(phase=Phase.DOWN, drain=0.0)

Step = Standing | float
"""What the site stands like next, or the seconds that pass."""


@pytest.mark.parametrize(
    ("steps", "expired"),
    [
        pytest.param((DRAINING, 30.0, DOWN, TICK), 1, id="drained"),
        pytest.param((DRAINING, 30.0, DOWN, DOWN, 60.0, DOWN), 1, id="once"),
        pytest.param((DRAINING, 29.5, DOWN, TICK), 1, id="the two clocks differ a little"),
        pytest.param((DRAINING, 29.0), 0, id="draining"),
        pytest.param((DOWN,), 0, id="begun long ago, and only now known"),
        pytest.param((DOWN, 29.0, DOWN), 0, id="... it still has its time"),
        pytest.param((DOWN, 30.0 + 2 * TICK), 1, id="... and no more"),
        pytest.param((DRAINING, 10.0, DOWN, 19.0), 0, id="the wall clock steps ahead"),
        pytest.param((DRAINING, 10.0, DOWN, 20.0 + 2 * TICK), 1, id="... and the rest is over"),
        pytest.param((DRAINING, 10.0, DOWN, 5.0, DRAINING, 60.0), 0, id="... and back"),
        pytest.param((AT_ONCE,), 0, id="no drain, but not beneath who made the site look"),
        pytest.param((AT_ONCE, TICK), 1, id="no drain"),
        pytest.param((DOWN, 10.0, LIVE, 60.0), 0, id="up before its end"),
        pytest.param(
            (DRAINING, 30.0, DOWN, TICK, LIVE, DRAINING, 30.0, DOWN, TICK), 2, id="twice down"
        ),
        pytest.param((LIVE, 60.0, LIVE), 0, id="live"),
    ],
)
def test_drain(steps: tuple[Step, ...], expired: int) -> None:
    """Requests in flight have all of the drain, and are expired once, when it is over."""
    clock = Clock()
    wheel = Wheel(clock, clock.seconds)
    wheel.start()
    calls: list[float] = []
    drain = Drain(wheel, lambda: calls.append(clock.seconds()))
    for step in steps:
        if isinstance(step, float):
            clock.pump([TICK] * int(step / TICK))
        else:
            drain.follow(step)
    assert len(calls) == expired
    drain.follow(LIVE)
    assert not len(wheel)
    wheel.stop()
    assert clock.getDelayedCalls() == []
