"""The kinds of metrics that Prometheus knows, as far as they are used here.

A family is a metric with all its series; its labels are given by name, so that none is mistaken
for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.samples import Sample

from sorryd.numbers import BOUNDS, Answered

_LE = (*(repr(bound) for bound in BOUNDS), "+Inf")


class Gauge(GaugeMetricFamily):
    """What is so now."""

    def set(self, value: float, **labels: str) -> None:
        """One series."""
        self.samples.append(Sample(self.name, labels, value))

    def set_one_of(self, states: Iterable[StrEnum], now: StrEnum, name: str, **labels: str) -> None:
        """A series for each of `states` by a label of that `name`: 1 for that of `now`, else 0."""
        for state in states:
            self.set(float(state is now), **labels, **{name: state.value})


class Counter(CounterMetricFamily):
    """What only grows; ``_total`` is put behind its name."""

    def count(self, value: float, **labels: str) -> None:
        """One series."""
        self.samples.append(Sample(f"{self.name}_total", labels, value))


class Durations(HistogramMetricFamily):
    """How long requests took."""

    def put(self, answered: Answered, labels: Mapping[str, str]) -> None:
        """The series of one histogram; those of buckets are cumulative."""
        counts = [*accumulate(answered.durations)]
        for bound, count in zip(_LE, counts, strict=True):
            self.samples.append(Sample(f"{self.name}_bucket", {**labels, "le": bound}, count))
        self.samples.append(Sample(f"{self.name}_count", dict(labels), counts[-1]))
        self.samples.append(Sample(f"{self.name}_sum", dict(labels), answered.seconds))
