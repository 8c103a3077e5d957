"""How rounds become rows, ratios and goals."""

from __future__ import annotations

import pytest
from bench.load import Counted
from bench.proxies import Name
from bench.scenarios import Scenario
from bench.verdict import Goal, Judged, Measured, Round, judge, ratio, rows


def counted(requests: int = 1_000_000, unexpected: int = 0) -> Counted:
    return Counted(
        requests=requests,
        seconds=2.0,
        connect=0,
        read=0,
        write=0,
        timeout=0,
        unexpected=unexpected,
    )


def a_round(number: int, proxy: Name, micros: float, unexpected: int = 0) -> Round:
    """A million plain requests at `micros` of processor time each."""
    measured = Measured(processor=micros, counted=counted(unexpected=unexpected))
    return Round(number=number, scenario=Scenario.PLAIN, proxy=proxy, measured=measured)


def test_a_ratio_is_the_median_of_the_ratios_within_rounds() -> None:
    """A machine twice as slow in one round changes no ratio, where medians apart would."""
    rounds = [
        a_round(1, Name.SORRYD, 40.0),
        a_round(1, Name.HAPROXY, 20.0),
        a_round(2, Name.SORRYD, 200.0),
        a_round(2, Name.HAPROXY, 100.0),
        a_round(3, Name.SORRYD, 50.0),
        a_round(3, Name.HAPROXY, 45.0),
    ]
    assert ratio(rounds, Scenario.PLAIN, Name.HAPROXY) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param([a_round(1, Name.SORRYD, 40.0)], id="peer missing"),
        pytest.param([a_round(1, Name.HAPROXY, 40.0)], id="sorryd missing"),
        pytest.param(
            [a_round(1, Name.SORRYD, 40.0), a_round(2, Name.HAPROXY, 40.0)], id="other rounds"
        ),
    ],
)
def test_nothing_is_compared_across_rounds_or_with_nobody(rounds: list[Round]) -> None:
    """Without both proxies in one round there is no ratio."""
    assert ratio(rounds, Scenario.PLAIN, Name.HAPROXY) is None


def test_a_row_sums_errors_and_takes_medians() -> None:
    """One spoilt round moves neither the time nor the rate, but its errors stay."""
    rounds = [
        a_round(1, Name.NGINX, 10.0),
        a_round(2, Name.NGINX, 900.0, unexpected=3),
        a_round(3, Name.NGINX, 12.0, unexpected=1),
    ]
    (row,) = rows(rounds)
    assert (row.micros, row.rate, row.errors, row.ratio) == (12.0, 500_000.0, 4, None)


def test_a_round_without_an_answer_costs_without_end() -> None:
    """No request came through: the time of one is infinite, not a division by zero."""
    measured = Measured(processor=0.5, counted=counted(requests=0))
    assert measured.micros == float("inf")


@pytest.mark.parametrize(
    ("value", "missed"),
    [
        pytest.param(0.55, False, id="just reached"),
        pytest.param(0.549, True, id="just missed"),
        pytest.param(None, False, id="not measured"),
    ],
)
def test_a_goal_is_missed_only_where_it_was_measured(value: float | None, missed: bool) -> None:
    """A peer that is not installed misses no goal."""
    goal = Goal(scenario=Scenario.PLAIN, peer=Name.HAPROXY, at_least=0.55)
    assert Judged(goal=goal, ratio=value).missed is missed


def test_only_the_scenarios_that_ran_are_judged() -> None:
    """A run of the plain load says nothing of TLS."""
    judged = judge([a_round(1, Name.SORRYD, 40.0), a_round(1, Name.APACHE, 80.0)])
    assert [(each.goal.peer, each.ratio) for each in judged] == [
        (Name.HAPROXY, None),
        (Name.APACHE, 2.0),
    ]
