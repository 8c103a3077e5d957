"""What a hook is told, and when it is tried again and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy.delivery import MOST, gives_up, is_no_news, pause, signature, signing_key

DAY = 86400.0


@pytest.mark.parametrize(
    ("tries", "chance", "seconds"),
    [
        *((1, 0.0, 1.0), (2, 0.0, 2.0), (9, 0.0, 256.0), (10, 0.0, 300.0), (9999, 0.0, 300.0)),
        *((1, 1.0, 0.5), (3, 0.5, 3.0), (10, 1.0, 150.0)),
    ],
)
def test_pause(tries: int, chance: float, seconds: float) -> None:
    """Each pause is twice as long as the one before, up to 5 minutes; chance takes up to half."""
    assert pause(tries, chance) == seconds


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_pause_is_bounded(tries: int, chance: float) -> None:
    """However often it was tried, the pause is from half a second to 5 minutes."""
    assert 0.5 <= pause(tries, chance) <= 300


@pytest.mark.parametrize(
    ("tries", "tried_for", "age", "over"),
    [
        pytest.param(1, 0.0, 0.0, False, id="fresh"),
        pytest.param(MOST - 1, DAY - 1, DAY - 1, False, id="nearly"),
        pytest.param(MOST, 0.0, 0.0, True, id="too often"),
        pytest.param(5, DAY, 0.0, True, id="for too long, whatever the wall clock says"),
        pytest.param(1, 0.0, DAY, True, id="it was old already"),
        pytest.param(1, 0.0, -DAY, False, id="a clock that was set back"),
    ],
)
def test_gives_up(tries: int, tried_for: float, age: float, over: bool) -> None:
    """An event is tried for a day, and not more than so often."""
    assert gives_up(tries, tried_for, age) is over


def test_a_day_of_pauses_is_about_as_many_tries() -> None:
    """Both limits come at about the same time, so that none of them is without use."""
    whole = sum(pause(tries, 0.0) for tries in range(1, MOST))
    assert 0.9 * DAY < whole < 1.1 * DAY


def test_no_news() -> None:
    """What is a day old is not told any more; what is of the future is."""
    assert [is_no_news(age) for age in (-DAY, 0.0, DAY - 1, DAY)] == [False, False, False, True]


def test_signature() -> None:
    """The signature is the one that openssl makes (see docs/configuration.md)."""
    key = signing_key(b"0123456789abcdef", "shop")
    assert key.hex() == "97af656108c301ebc0afa712eca69e19029e57ecebf58d4edc0acf02f4353d00"
    assert (
        signature(key, 1_795_262_400, b"{}")
        == "t=1795262400,v1=7ff49336dc3e439b1e94d0e5d3303c1c16ed507306aa61a2b02aa11ef225b3da"
    )
