"""Rates, worked out of two answers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ctl.results import NUMBERS

from sorryd.ctl.rates import Flows, flows, quantile

BOUNDS = [0.001, 0.01, 0.1]


def later(**fields: Any) -> dict[str, Any]:
    """The answer of a while later; `fields` are those of the first member."""
    numbers: dict[str, Any] = copy.deepcopy(NUMBERS)
    numbers["sites"][0]["members"][0].update(fields)
    return numbers


def seen(after: Any, before: Any = NUMBERS, seconds: float = 2.0) -> Flows:
    return flows(before, after, seconds)


def added(count: int) -> dict[str, Any]:
    """What the first member answered, and `count` requests more of 5 ms and 50 bytes."""
    answered: dict[str, Any] = copy.deepcopy(NUMBERS["sites"][0]["members"][0]["answered"])
    answered["codes"]["2xx"] += count
    answered["durations"][1] += count
    answered["sent"] += 50 * count
    return answered


def test_rates() -> None:
    """What was added, a second; of the site, what all of its members did."""
    (site,) = seen(later(answered=added(10), in_flight=3))["sites"]
    first, second = site["members"]
    assert (first["requests"], first["codes"]["2xx"], first["sent"]) == (5.0, 5.0, 250.0)
    assert (second["requests"], second["p50"]) == (0.0, None)
    assert (site["requests"], site["codes"]["2xx"], site["sent"]) == (5.0, 5.0, 250.0)
    assert (first["in_flight"], site["in_flight"]) == (3, 4)
    assert 0.001 < (first["p50"] or 0) < (first["p99"] or 0) <= 0.01


def test_nothing_happened() -> None:
    """Two answers that are alike say that nothing did."""
    (site,) = seen(NUMBERS)["sites"]
    assert (site["requests"], site["received"], site["p50"]) == (0.0, 0.0, None)


def test_daemon_that_began_anew() -> None:
    """Counters that went down count what they have since."""
    answered = {
        **added(0), "codes": {"2xx": 4}, "durations": [4, 0, 0, 0], "seconds": 0.1, "sent": 20,
    }  # fmt: skip
    fresh = later(answered=answered)
    fresh["sites"][0]["received"] = 8
    (site,) = seen(fresh)["sites"]
    assert (site["members"][0]["requests"], site["members"][0]["sent"]) == (2.0, 10.0)
    assert site["received"] == 4.0


def test_member_and_site_that_are_new() -> None:
    """All of what they counted was in between."""
    before = copy.deepcopy(NUMBERS)
    before["sites"][0]["members"] = []
    assert seen(NUMBERS, before)["sites"][0]["members"][0]["requests"] == 20.0
    before["sites"] = []
    assert seen(NUMBERS, before)["sites"][0]["members"][0]["requests"] == 20.0


@given(st.lists(st.integers(0, 100), min_size=4, max_size=4), st.integers(0, 9), st.integers(0, 9))
def test_never_negative(durations: list[int], count: int, size: int) -> None:
    """Whatever the two answers are."""
    answered = {"codes": {"2xx": count}, "durations": durations, "seconds": 0.0, "sent": size}
    (site,) = seen(later(answered=answered))["sites"]
    for flow in (site, *site["members"]):
        assert min(flow["requests"], flow["sent"], *flow["codes"].values()) >= 0
        assert flow["p50"] is None or 0 <= flow["p50"] <= BOUNDS[-1]


@pytest.mark.parametrize(
    ("counts", "part", "expected"),
    [
        ([0, 0, 0, 0], 0.5, None),
        ([10, 0, 0, 0], 0.5, 0.0005),
        ([10, 10, 0, 0], 0.5, 0.001),
        ([10, 10, 0, 0], 0.75, 0.0055),
        ([0, 0, 0, 5], 0.5, 0.1),  # beyond the last bound
        ([99, 0, 0, 1], 0.99, 0.001),
        ([1, 0, 1, 0], 1.0, 0.1),
    ],
)
def test_quantiles(counts: list[int], part: float, expected: float | None) -> None:
    """As Prometheus' histogram_quantile has them."""
    found = quantile(part, counts, BOUNDS)
    assert found == (None if expected is None else pytest.approx(expected))
