"""Smooth weighted round robin: the order, its fairness, and long periods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy import rotation
from sorryd.policy.rotation import Rotation, turn

weights_in_use = st.lists(st.integers(0, 20), min_size=1, max_size=7).filter(any)


def picks(rotation: Rotation, count: int) -> list[int]:
    return [rotation.pick() for _ in range(count)]


def reference(weights: Sequence[int], count: int) -> list[int]:
    """Smooth weighted round robin in its plainest form, for comparison."""
    standing = dict.fromkeys((i for i, w in enumerate(weights) if w), 0)
    order = []
    for _ in range(count):
        for index in standing:
            standing[index] += weights[index]
        best = max(standing, key=lambda index: (standing[index], -index))
        standing[best] -= sum(weights)
        order.append(best)
    return order


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        pytest.param((5, 1, 1), "aabacaa", id="nginx's example"),
        pytest.param((1,), "a", id="one member"),
        pytest.param((1, 1, 1), "abc", id="equal weights"),
        pytest.param((3, 1), "aaba", id="three to one"),
        pytest.param((300, 100), "aaba", id="reduced by the divisor"),
        pytest.param((4, 2, 0, 1), "abadaba", id="weight 0 gets nothing"),
    ],
)
def test_order(weights: tuple[int, ...], order: str) -> None:
    """A rotation follows nginx's order, the same in every period."""
    rotation = Rotation(weights)
    assert "".join("abcd"[i] for i in picks(rotation, 3 * len(order))) == 3 * order


@pytest.mark.parametrize("weights", [(), (0, 0), (2, -1)], ids=["none", "all 0", "negative"])
def test_weights_refused(weights: tuple[int, ...]) -> None:
    """Weights that give no order are an error, not an endless search."""
    with pytest.raises(ValueError, match="weights"):
        Rotation(weights)


@given(weights_in_use)
def test_each_period_is_exact(weights: list[int]) -> None:
    """Each sum(weights) picks hold every member exactly as often as its weight says."""
    rotation = Rotation(weights)
    expected = {index: weight for index, weight in enumerate(weights) if weight}
    for _ in range(3):
        assert Counter(picks(rotation, sum(weights))) == expected


@given(weights_in_use, st.integers(1, 300))
def test_same_as_reference(weights: list[int], count: int) -> None:
    """Step by step, a rotation equals the plain algorithm, remembered or not."""
    assert picks(Rotation(weights), count) == reference(weights, count)


@given(weights_in_use)
def test_long_periods_are_stepped(weights: list[int]) -> None:
    """A period too long to remember is still followed exactly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotation, "REMEMBERED_STEPS", 3)
        assert picks(Rotation(weights), 100) == reference(weights, 100)


@given(
    st.lists(st.integers(1, 20), min_size=3, max_size=3),
    st.lists(st.sampled_from([(0,), (1,), (0, 1), (1, 2), (0, 2), (0, 1, 2)]), max_size=200),
)
def test_turns_among_changing_ones(weights: list[int], among: list[tuple[int, ...]]) -> None:
    """Whoever is there from step to step, nobody is owed more than a few steps are worth."""
    standing = [0, 0, 0]
    for those in among:
        assert turn(standing, weights, those) in those
        assert sum(standing) == 0
        assert max(map(abs, standing)) <= 2 * sum(weights)
