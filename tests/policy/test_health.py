"""The health of one member."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import Health
from sorryd.policy.health import Condition, answered, failed, rested

UP = Condition()
RESTING = Condition(health=Health.RESTING, rest_until=105.0)
TRIAL = Condition(health=Health.TRIAL)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(UP, RESTING, id="up"),
        pytest.param(TRIAL, RESTING, id="on trial"),
        pytest.param(
            Condition(health=Health.RESTING, rest_until=101.0),
            Condition(health=Health.RESTING, rest_until=101.0),
            id="resting: not prolonged",
        ),
    ],
)
def test_failed(before: Condition, after: Condition) -> None:
    """A member that fails rests for `retry` seconds."""
    assert failed(before, 5.0, 100.0) == after


@pytest.mark.parametrize(
    ("before", "now", "after"),
    [
        pytest.param(RESTING, 104.999, RESTING, id="rest not over"),
        pytest.param(RESTING, 105.0, TRIAL, id="rest over"),
        pytest.param(UP, 1e9, UP, id="up"),
        pytest.param(TRIAL, 1e9, TRIAL, id="on trial"),
    ],
)
def test_rested(before: Condition, now: float, after: Condition) -> None:
    """A member is tried again when its rest is over, and not a moment before."""
    assert rested(before, now) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(TRIAL, UP, id="on trial"),
        pytest.param(UP, UP, id="up"),
        pytest.param(RESTING, RESTING, id="resting: an answer to a request from before"),
    ],
)
def test_answered(before: Condition, after: Condition) -> None:
    """Only an answer on trial brings a member back."""
    assert answered(before) == after


@given(st.lists(st.sampled_from(["failed", "answered", "wait"]), max_size=30))
def test_back_only_over_a_trial(events: list[str]) -> None:
    """Whatever happens, a failed member is up again only after a full rest and an answer."""
    condition, now, down_since = UP, 0.0, None
    for event in events:
        before = condition
        match event:
            case "failed":
                condition = failed(condition, 5.0, now)
            case "answered":
                condition = answered(condition)
            case _:
                now += 2.0
                condition = rested(condition, now)
        if condition.health is Health.RESTING and before.health is not Health.RESTING:
            down_since = now
        if condition.health is Health.UP and before.health is not Health.UP:
            assert before.health is Health.TRIAL
            assert down_since is not None
            assert now >= down_since + 5.0
        assert (condition.rest_until is not None) is (condition.health is Health.RESTING)
