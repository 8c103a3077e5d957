"""How rounds become rows, ratios and goals."""

from __future__ import annotations

import pytest
from bench.goals import GOALS, Metric
from bench.load import Counted
from bench.memory import Rest
from bench.proxies import Name
from bench.scenarios import Scenario
from bench.verdict import Judged, Measured, Outcome, Round, judge, judge_at_rest, ratio, rows


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
    ("value", "lower", "outcome"),
    [
        pytest.param(1.0, False, Outcome.REACHED, id="just the goal"),
        pytest.param(0.999, False, Outcome.AT_LEAST, id="less than the goal"),
        pytest.param(0.65, False, Outcome.AT_LEAST, id="just what must be"),
        pytest.param(0.649, False, Outcome.MISSED, id="less than must be"),
        pytest.param(None, False, Outcome.NOT_MEASURED, id="not measured"),
        pytest.param(1.0, True, Outcome.REACHED, id="as little as is wanted"),
        pytest.param(1.5, True, Outcome.MISSED, id="more than may be"),
    ],
)
def test_a_verdict_knows_the_goal_and_what_must_be(
    value: float | None, lower: bool, outcome: Outcome
) -> None:
    """Only what was measured and is worse than it must be is missed."""
    judged = Judged(
        what="plain", value=value, goal=1.0, at_least=1.2 if lower else 0.65, lower=lower
    )
    assert judged.outcome is outcome
    assert judged.missed is (outcome is Outcome.MISSED)


def test_without_a_goal_there_is_only_what_must_be() -> None:
    """Apache is nobody to be as fast as."""
    judged = Judged(what="plain", value=9.0, goal=None, at_least=2.0)
    assert judged.outcome is Outcome.AT_LEAST


def test_only_the_scenarios_that_were_asked_for_are_judged() -> None:
    """A run of the plain load says nothing of TLS; a peer that is not there misses nothing."""
    judged = judge([a_round(1, Name.SORRYD, 40.0), a_round(1, Name.APACHE, 80.0)], [Scenario.PLAIN])
    assert [(each.unit, each.value, each.outcome) for each in judged] == [
        ("x haproxy", None, Outcome.NOT_MEASURED),
        ("x apache", 2.0, Outcome.AT_LEAST),
    ]


def test_what_could_not_be_had_is_not_measured() -> None:
    """A scenario that was asked for keeps its row."""
    (judged,) = judge([], [Scenario.GROWTH_SITES])
    assert judged.outcome is Outcome.NOT_MEASURED


def test_of_memory_less_is_better() -> None:
    """And only ours is judged."""
    rests = [
        Rest(proxy=Name.SORRYD, secure=False, kib=5.0),
        Rest(proxy=Name.HAPROXY, secure=False, kib=9.0),
        Rest(proxy=Name.SORRYD, secure=True, kib=61.0),
    ]
    assert [each.outcome for each in judge_at_rest(rests)] == [Outcome.AT_LEAST, Outcome.MISSED]


def test_who_answers_nothing_reaches_nothing() -> None:
    """Were it the other way round, a proxy that fails would be infinitely fast."""
    dead = Measured(processor=0.5, counted=counted(requests=0))
    rounds = [
        Round(number=1, scenario=Scenario.PLAIN, proxy=Name.SORRYD, measured=dead),
        Round(number=1, scenario=Scenario.PLAIN, proxy=Name.HAPROXY, measured=dead),
    ]
    assert ratio(rounds, Scenario.PLAIN, Name.HAPROXY) == 0.0


def test_latency_is_compared_by_what_one_waits() -> None:
    """By percentile, whatever the processor did."""
    rounds = [
        Round(
            number=1,
            scenario=Scenario.LATENCY,
            proxy=proxy,
            measured=Measured(
                processor=1.0, counted=Counted(requests=9, seconds=1.0, p50=p50, p99=p99)
            ),
        )
        for proxy, p50, p99 in ((Name.SORRYD, 100.0, 400.0), (Name.HAPROXY, 80.0, 100.0))
    ]
    for metric, wanted in ((Metric.P50, 0.8), (Metric.P99, 0.25)):
        assert ratio(rounds, Scenario.LATENCY, Name.HAPROXY, metric) == pytest.approx(wanted)


def test_what_must_be_is_never_more_than_the_goal() -> None:
    """Nor is anything judged twice."""
    assert all(goal.goal is None or goal.at_least <= goal.goal for goal in GOALS)
    assert len({(goal.scenario, goal.peer, goal.metric) for goal in GOALS}) == len(GOALS)
