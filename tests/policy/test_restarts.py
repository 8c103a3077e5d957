"""When a worker that has died is started again."""

from __future__ import annotations

import pytest

from sorryd.policy.restarts import FIRST, LONGEST, SOUND, Restarts


def waits(*lives: float) -> list[float]:
    """Seconds to wait after each death of one that has lived so long."""
    found, restarts = [], Restarts()
    for lived in lives:
        restarts = restarts.died(lived)
        found.append(restarts.wait)
    return found


@pytest.mark.parametrize(
    ("lives", "expected"),
    [
        ([0.0], [0.0]),
        ([3600.0, 3600.0, 3600.0], [0.0, 0.0, 0.0]),
        ([0.0, 0.0, 0.0, 0.0], [0.0, FIRST, 2 * FIRST, 4 * FIRST]),
        ([0.0, 0.0, SOUND, 0.0, 0.0], [0.0, FIRST, 0.0, FIRST, 2 * FIRST]),
        ([0.0, SOUND - 0.1], [0.0, FIRST]),
    ],
)
def test_wait(lives: list[float], expected: list[float]) -> None:
    """An accident costs no wait; one who keeps dying waits ever longer."""
    assert waits(*lives) == expected


def test_longest() -> None:
    """However often: the wait grows up to a limit, and stays there."""
    found = waits(*[0.0] * 10_000)
    assert found == sorted(found)
    assert found[-1] == LONGEST
