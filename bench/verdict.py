"""From rounds to a verdict: medians, ratios, goals. Pure; nothing here runs or reads a clock."""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Collection, Sequence

import msgspec

from bench.goals import AT_REST, GOALS, Goal, Metric
from bench.load import Counted
from bench.memory import Rest
from bench.proxies import Name
from bench.scenarios import Scenario


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy under a load, once. `processor` is seconds of the proxy's processes alone."""

    processor: float
    counted: Counted
    broken_bodies: int = 0  # of our own requests before and after: those with a wrong answer

    @property
    def micros(self) -> float:
        """Processor time a request, in microseconds; infinite where none came through."""
        requests = self.counted.requests
        return self.processor / requests * 1e6 if requests else math.inf

    @property
    def rate(self) -> float:
        """Requests a second; the load's core saturates first, so it judges nothing."""
        return self.counted.requests / self.counted.seconds

    @property
    def errors(self) -> int:
        """All that went wrong."""
        return self.counted.errors + self.broken_bodies

    def value(self, metric: Metric) -> float:
        """Microseconds by this metric; infinite where nothing was measured."""
        match metric:
            case Metric.PROCESSOR:
                return self.micros
            case Metric.P50:
                return self.counted.p50 or math.inf
            case Metric.P99:
                return self.counted.p99 or math.inf


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of `proxy`, told by its label, in the round `number`."""

    number: int
    scenario: Scenario
    proxy: str
    measured: Measured


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy in a scenario over all rounds; `ratio` is its time over sorryd's."""

    scenario: Scenario
    proxy: str
    micros: float
    rate: float
    p50: float
    p99: float
    errors: int
    ratio: float | None


class Outcome(enum.StrEnum):
    """What came of a row of the table of goals."""

    REACHED = "goal: reached"
    AT_LEAST = "at least: reached"
    MISSED = "MISSED"
    NOT_MEASURED = "not measured"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table of goals, and what came of it.

    `value` None: one of those compared was not measured. `goal` None: there is only what must be
    reached at least. `lower`: less is better, and `at_least` is an "at most".
    """

    what: str
    value: float | None
    goal: float | None
    at_least: float
    unit: str = ""
    lower: bool = False

    @property
    def outcome(self) -> Outcome:
        """The verdict."""
        if self.value is None:
            return Outcome.NOT_MEASURED
        if self.goal is not None and self._reaches(self.goal, self.value):
            return Outcome.REACHED
        return Outcome.AT_LEAST if self._reaches(self.at_least, self.value) else Outcome.MISSED

    @property
    def missed(self) -> bool:
        """Whether it was measured, and what must be was not reached."""
        return self.outcome is Outcome.MISSED

    def _reaches(self, aim: float, value: float) -> bool:
        return value <= aim if self.lower else value >= aim


def rows(rounds: Sequence[Round]) -> list[Row]:
    """One row for each scenario and proxy, in the order in which they first ran."""
    pairs = dict.fromkeys((each.scenario, each.proxy) for each in rounds)
    return [_row(rounds, scenario, proxy) for scenario, proxy in pairs]


def _row(rounds: Sequence[Round], scenario: Scenario, proxy: str) -> Row:
    of = [each.measured for each in rounds if each.scenario is scenario and each.proxy == proxy]
    return Row(
        scenario=scenario,
        proxy=proxy,
        micros=statistics.median(each.micros for each in of),
        rate=statistics.median(each.rate for each in of),
        p50=statistics.median(each.counted.p50 for each in of),
        p99=statistics.median(each.counted.p99 for each in of),
        errors=sum(each.errors for each in of),
        ratio=None if proxy == Name.SORRYD else ratio(rounds, scenario, proxy),
    )


def ratio(
    rounds: Sequence[Round], scenario: Scenario, peer: str, metric: Metric = Metric.PROCESSOR
) -> float | None:
    """The median of the rounds' ratios, each of two measurements seconds apart.

    A machine that slows down for a while slows both of a round, and spoils only that one.
    """
    values = {
        (each.number, each.proxy): each.measured.value(metric)
        for each in rounds
        if each.scenario is scenario
    }
    ratios = [
        _over(theirs, values[number, Name.SORRYD])
        for (number, proxy), theirs in values.items()
        if proxy == peer and (number, Name.SORRYD) in values
    ]
    return statistics.median(ratios) if ratios else None


def _over(theirs: float, ours: float) -> float:
    """Theirs over ours; where we answered nothing it is nothing, whatever they did."""
    return 0.0 if math.isinf(ours) else theirs / ours


def judge(rounds: Sequence[Round], scenarios: Collection[Scenario]) -> list[Judged]:
    """The goals of `scenarios`, by what was measured of them."""
    return [_judged(rounds, goal) for goal in GOALS if goal.scenario in scenarios]


def _judged(rounds: Sequence[Round], goal: Goal) -> Judged:
    return Judged(
        what=goal.what,
        value=ratio(rounds, goal.scenario, goal.peer, goal.metric),
        goal=goal.goal,
        at_least=goal.at_least,
        unit=f"x {goal.peer}",
    )


def judge_at_rest(rests: Sequence[Rest]) -> list[Judged]:
    """What sorryd's connections at rest take, plain and over TLS."""
    ours = {each.secure: each.kib for each in rests if each.proxy is Name.SORRYD}
    return [
        Judged(
            what=f"memory {'tls' if secure else 'plain'}",
            value=ours.get(secure),
            goal=goal,
            at_least=at_most,
            unit="KiB",
            lower=True,
        )
        for secure, (goal, at_most) in AT_REST.items()
    ]
