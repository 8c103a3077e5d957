"""The rounds: every proxy in turn under one load, then the next load, then all again."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from bench import checks, load
from bench.options import Options
from bench.places import Place
from bench.processes import processor_seconds
from bench.proxies import Proxy
from bench.scenarios import Case, case, describe
from bench.verdict import Measured, Round


def compare(options: Options, running: Sequence[Proxy], place: Place, core: int) -> list[Round]:
    """All rounds, with the load on `core`. Raises BenchError where a load does not run."""
    for scenario in options.loads:
        for proxy in running:  # connections to members and processors' caches warm up
            load.run(case(scenario, place, proxy.ports).load(1), core)
    rounds = []
    for number in range(1, options.rounds + 1):
        for scenario in options.loads:
            progress(f"round {number} of {options.rounds}: {describe(scenario)}")
            for proxy in running:
                asked = case(scenario, place, proxy.ports)
                measured = _measure(proxy, asked, options.seconds, core)
                rounds.append(
                    Round(number=number, scenario=scenario, proxy=proxy.name, measured=measured)
                )
    return rounds


def _measure(proxy: Proxy, asked: Case, seconds: int, core: int) -> Measured:
    broken = checks.broken_bodies(asked)
    before = processor_seconds(proxy.pid)
    counted = load.run(asked.load(seconds), core)
    processor = processor_seconds(proxy.pid) - before
    broken += checks.broken_bodies(asked)
    return Measured(processor=processor, counted=counted, broken_bodies=broken)


def progress(line: str) -> None:
    """Say on stderr what is done now."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
