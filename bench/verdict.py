"""From rounds to a verdict: medians, ratios, goals. Pure; nothing here runs or reads a clock."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

from bench.load import Counted
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
        return self.processor / requests * 1e6 if requests else float("inf")

    @property
    def rate(self) -> float:
        """Requests a second; the load's core saturates first, so it judges nothing."""
        return self.counted.requests / self.counted.seconds

    @property
    def errors(self) -> int:
        """All that went wrong."""
        return self.counted.errors + self.broken_bodies


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of `proxy` in the round `number`."""

    number: int
    scenario: Scenario
    proxy: Name
    measured: Measured


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy in a scenario over all rounds; `ratio` is its time over sorryd's."""

    scenario: Scenario
    proxy: Name
    micros: float
    rate: float
    errors: int
    ratio: float | None


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """That `peer`'s time over sorryd's is `at_least` so much."""

    scenario: Scenario
    peer: Name
    at_least: float


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A goal and what came of it; `ratio` None where one of the two was not measured."""

    goal: Goal
    ratio: float | None

    @property
    def missed(self) -> bool:
        """Whether it was measured and not reached."""
        return self.ratio is not None and self.ratio < self.goal.at_least


GOALS = (
    Goal(scenario=Scenario.PLAIN, peer=Name.HAPROXY, at_least=0.55),
    Goal(scenario=Scenario.PLAIN, peer=Name.APACHE, at_least=1.5),
    Goal(scenario=Scenario.TLS, peer=Name.HAPROXY, at_least=0.4),
    Goal(scenario=Scenario.TLS, peer=Name.APACHE, at_least=1.2),
    Goal(scenario=Scenario.SORRY, peer=Name.NGINX, at_least=1.0),
    Goal(scenario=Scenario.LARGE, peer=Name.HAPROXY, at_least=0.9),
)


def rows(rounds: Sequence[Round]) -> list[Row]:
    """One row for each scenario and proxy, in the order in which they first ran."""
    pairs = dict.fromkeys((each.scenario, each.proxy) for each in rounds)
    return [_row(rounds, scenario, proxy) for scenario, proxy in pairs]


def _row(rounds: Sequence[Round], scenario: Scenario, proxy: Name) -> Row:
    of = [each.measured for each in rounds if each.scenario is scenario and each.proxy is proxy]
    return Row(
        scenario=scenario,
        proxy=proxy,
        micros=statistics.median(each.micros for each in of),
        rate=statistics.median(each.rate for each in of),
        errors=sum(each.errors for each in of),
        ratio=None if proxy is Name.SORRYD else ratio(rounds, scenario, proxy),
    )


def ratio(rounds: Sequence[Round], scenario: Scenario, peer: Name) -> float | None:
    """The median of the rounds' ratios, each of two measurements seconds apart.

    A machine that slows down for a while slows both of a round, and spoils only that one.
    """
    times = {
        (each.number, each.proxy): each.measured.micros
        for each in rounds
        if each.scenario is scenario
    }
    ratios = [
        theirs / times[number, Name.SORRYD]
        for (number, proxy), theirs in times.items()
        if proxy is peer and (number, Name.SORRYD) in times
    ]
    return statistics.median(ratios) if ratios else None


def judge(rounds: Sequence[Round]) -> list[Judged]:
    """The goals of the scenarios that ran."""
    ran = {each.scenario for each in rounds}
    return [
        Judged(goal=goal, ratio=ratio(rounds, goal.scenario, goal.peer))
        for goal in GOALS
        if goal.scenario in ran
    ]
