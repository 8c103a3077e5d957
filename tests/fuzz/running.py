"""Runs properties over cases by chance, for some time, and keeps what they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import monotonic, process_time

from tests.fuzz.case import KEPT, Case, FaultFound, Property, Tally, keep, kind_of
from tests.fuzz.shrinking import shrunk


def fault_of(one: Property, case: Case) -> str | None:
    """What is wrong with a case; None where nothing is."""
    try:
        one.check(case, Tally())
    except Exception as why:
        return said(why)
    return None


def said(why: Exception) -> str:
    """A fault in one line."""
    return str(why) if isinstance(why, FaultFound) else f"raised {type(why).__name__}: {why}"


class Runner:
    """Runs each property in turn, and keeps one case of each kind of fault."""

    def __init__(
        self, properties: Sequence[Property], say: Callable[[str], None], folder: Path = KEPT
    ) -> None:
        self._folder = folder
        self._properties = properties
        self._say = say
        self.found: dict[str, Case] = {}
        self.tallies = {one.name: Tally() for one in properties}

    def run(self, seed: int, minutes: float) -> None:
        """For so long. Each case has a seed of its own, which is said with a fault."""
        began, busy = monotonic(), process_time()
        number = 0
        while monotonic() < began + minutes * 60:
            for one in self._properties:
                for _ in range(100):
                    self.try_one(one, f"{seed}.{number}")
                    number += 1
        self.report(monotonic() - began, process_time() - busy)

    def try_one(self, one: Property, seed: str) -> None:
        """Make a case and check it."""
        case = one.make(Random(seed))
        tally = self.tallies[one.name]
        tally("cases")
        try:
            one.check(case, tally)
        except Exception as why:
            self._caught(one, case, said(why), seed)

    def _caught(self, one: Property, case: Case, fault: str, seed: str) -> None:
        kind = f"{one.name}: {kind_of(fault)}"
        self.tallies[one.name](f"FAULT {kind_of(fault)}")
        if kind in self.found:
            return
        self.found[kind] = case
        small = shrunk(case, lambda other: kind_of(fault_of(one, other) or "") == kind_of(fault))
        self.found[kind] = small
        fault = fault_of(one, small) or fault
        path = keep(fault, one.name, small, self._folder)
        self._say(f"{one.name}, seed {seed}: {fault}\n  kept in {path}")

    def report(self, seconds: float, busy: float) -> None:
        """Say what was run."""
        total = sum(tally.counts["cases"] for tally in self.tallies.values())
        rate = total / max(busy, 0.001)
        self._say(f"{total} cases in {seconds:.0f} s, {rate:.0f} a second of the processor's time")
        for name, tally in self.tallies.items():
            self._say(f"{name}:")
            for what, count in sorted(tally.counts.items(), key=lambda item: -item[1]):
                self._say(f"  {count:9} {what}")
