"""What is to be reached: by scenario and peer, the peer's cost over sorryd's.

The goal is what is wanted; at least is what must be. Where a goal is missed, that is told; where
what must be is missed, the run fails.
"""

from __future__ import annotations

import enum

import msgspec

from bench.proxies import Name
from bench.scenarios import GROWTH, Scenario

SMALL = "small"  # a peer of sorryd's: itself, with little to look after


class Metric(enum.StrEnum):
    """What is compared: processor time a request, or what one waits for it."""

    PROCESSOR = "processor"
    P50 = "p50"
    P99 = "p99"


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """That `peer`'s value over sorryd's is `at_least` so much, and `goal` is wanted."""

    scenario: Scenario
    peer: str
    goal: float | None
    at_least: float
    metric: Metric = Metric.PROCESSOR

    @property
    def what(self) -> str:
        """What is judged, in a word or two."""
        by = "" if self.metric is Metric.PROCESSOR else f" {self.metric}"
        return f"{self.scenario}{by}"


def _of(scenario: Scenario, goal: float, at_least: float, **peers: float) -> list[Goal]:
    """Goals against HAProxy, and what must be against others besides."""
    first = Goal(scenario=scenario, peer=Name.HAPROXY, goal=goal, at_least=at_least)
    more = [
        Goal(scenario=scenario, peer=Name(peer), goal=None, at_least=least)
        for peer, least in peers.items()
    ]
    return [first, *more]


def _latency(metric: Metric) -> Goal:
    return Goal(scenario=Scenario.LATENCY, peer=Name.HAPROXY, goal=1.0, at_least=0.9, metric=metric)


GOALS = (
    *_of(Scenario.PLAIN, 1.0, 0.65, apache=2.0),
    *_of(Scenario.TLS, 0.9, 0.5, apache=1.5),
    *_of(Scenario.TLS_NEW, 1.0, 0.6, apache=1.0),
    *_of(Scenario.TLS_RESUMED, 1.0, 0.6, apache=1.0),
    *_of(Scenario.TCP_NEW, 1.0, 0.5, apache=1.0),
    *_of(Scenario.SORRY, 1.2, 0.9, nginx=1.3),
    *_of(Scenario.LARGE, 1.3, 1.0),
    *_of(Scenario.DOWNLOAD, 1.3, 1.0),
    *_of(Scenario.UPLOAD, 1.3, 1.0),
    *_of(Scenario.UPLOAD_LARGE, 1.3, 1.0),
    _latency(Metric.P50),
    _latency(Metric.P99),
    *_of(Scenario.WEBSOCKET, 1.0, 0.8),
    *(Goal(scenario=each, peer=SMALL, goal=1.0, at_least=0.9) for each in GROWTH),
)

AT_REST = {False: (2.0, 6.0), True: (30.0, 60.0)}
"""KiB of a connection at rest, plain and over TLS: what is wanted, and what it may be at most."""


def peers(scenario: Scenario) -> frozenset[str]:
    """Those against whom sorryd is judged there."""
    return frozenset(goal.peer for goal in GOALS if goal.scenario is scenario)
