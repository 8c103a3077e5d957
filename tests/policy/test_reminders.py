"""When an operator is warned of a down that has no end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import Phase
from sorryd.policy.reminders import is_due, open_since, warning
from sorryd.policy.windows import Standing

DAY = 86400.0


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        pytest.param(None, 99.0, False, id="not yet"),
        pytest.param(None, 100.0, True, id="for the first time"),
        pytest.param(None, 100 + 9 * DAY, True, id="late"),
        pytest.param(100.0, 100.0, False, id="just said"),
        pytest.param(100.0, 99 + DAY, False, id="a day is not over"),
        pytest.param(100.0, 100 + DAY, True, id="a day later"),
        pytest.param(5000.0, 100 + DAY, True, id="it was late, the next is not"),
        pytest.param(50.0, 100.0, True, id="of an earlier down"),
        pytest.param(700.0, 600.0, False, id="a clock a little back"),
        pytest.param(100 + 30 * DAY, 200.0, True, id="a clock that was a month ahead"),
    ],
)
def test_due(last: float | None, now: float, due: bool) -> None:
    """Down since 0, with a limit of 100 seconds: whether a warning is due."""
    assert is_due(0.0, 100.0, last, now) is due


@given(st.lists(st.floats(-5 * DAY, 5 * DAY), max_size=30), st.floats(0, DAY))
def test_steps_do_not_flood(steps: list[float], limit: float) -> None:
    """Whatever the clock does, there is at most one warning a step, and none without one."""
    last, now, told = None, 0.0, 0
    for step in steps:
        now += step
        for _ in range(3):
            if is_due(0.0, limit, last, now):
                last, told = now, told + 1
    assert told <= len(steps) + 1


@pytest.mark.parametrize(
    ("standing", "since"),
    [
        (Standing(phase=Phase.LIVE), None),
        (Standing(phase=Phase.DRAINING, since=5.0), None),
        (Standing(phase=Phase.DOWN, since=5.0), 5.0),
        (Standing(phase=Phase.DOWN, since=5.0, until=9.0), None),
        (Standing(phase=Phase.VERIFYING, since=5.0), None),
    ],
)
def test_open(standing: Standing, since: float | None) -> None:
    """Only a down without an end is one to warn of."""
    assert open_since(standing) == since


def test_words() -> None:
    """How long it lasts is told to the minute."""
    assert warning(0.0, 90061.0).startswith("down for 1d1h1m, and no end is set")
