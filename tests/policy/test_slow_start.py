"""Slow start: how the share of a member grows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy.slow_start import STEPS, Climb, climbed


@pytest.mark.parametrize(
    ("after", "ramp"),
    [(0.0, 0.05), (1.0, 0.05), (2.9, 0.05), (3.0, 0.1), (15.0, 0.5), (16.0, 0.5), (29.9, 0.95)],
)
def test_ramp(after: float, ramp: float) -> None:
    """Linear over 30 s, in steps of 5 %, and never nothing."""
    climb = climbed(Climb(began=100.0, seconds=30.0), 100.0 + after)
    assert climb is not None
    assert climb.ramp == pytest.approx(ramp)


@pytest.mark.parametrize("after", [30.0, 31.0, 1e9])
def test_over(after: float) -> None:
    """At the end of its time the member has all of its weight."""
    assert climbed(Climb(began=100.0, seconds=30.0), 100.0 + after) is None


@given(st.floats(0, 1e7), st.floats(0.001, 86400))
def test_each_step_is_made_at_its_time(began: float, seconds: float) -> None:
    """Who looks when it is time finds the next step, so at most `STEPS` looks are enough."""
    climb: Climb | None = Climb(began=began, seconds=seconds)
    looks = 0
    while climb is not None:
        following = climbed(climb, climb.next_at)
        assert following is None or following.step > climb.step
        climb, looks = following, looks + 1
    assert looks <= STEPS


def test_a_clock_that_stands_changes_nothing() -> None:
    """Between two steps it is the same climb."""
    climb = Climb(began=100.0, seconds=30.0, step=4)
    assert climbed(climb, 107.0) is climb
    assert climbed(climb, 90.0) is climb
