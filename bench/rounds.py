"""The rounds: every proxy in turn under one load, then the next load, then all again."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from bench import checks, load
from bench.options import Options
from bench.processes import Set, processor_seconds
from bench.proxies import Proxy, Stand
from bench.scenarios import Case, Scenario, case, describe
from bench.verdict import Measured, Round


def compare(options: Options, stands: Mapping[Scenario, Stand]) -> list[Round]:
    """All rounds. Raises BenchError where a load does not run."""
    for scenario in options.loads:
        stand = stands[scenario]
        for proxy in stand.running:  # connections to members and processors' caches warm up
            load.run(case(scenario, stand.place, proxy.ports).load(1), stand.cores.load)
    rounds = []
    for number in range(1, options.rounds + 1):
        for scenario in options.loads:
            progress(f"round {number} of {options.rounds}: {describe(scenario)}")
            stand = stands[scenario]
            for proxy in stand.running:
                asked = case(scenario, stand.place, proxy.ports)
                measured = _measure(proxy, asked, options.seconds, stand.cores.load)
                rounds.append(
                    Round(number=number, scenario=scenario, proxy=proxy.name, measured=measured)
                )
    return rounds


def _measure(proxy: Proxy, asked: Case, seconds: int, cores: Set) -> Measured:
    broken = checks.broken_bodies(asked)
    before = processor_seconds(proxy.pid)
    counted = load.run(asked.load(seconds), cores)
    processor = processor_seconds(proxy.pid) - before
    broken += checks.broken_bodies(asked)
    return Measured(processor=processor, counted=counted, broken_bodies=broken)


def progress(line: str) -> None:
    """Say on stderr what is done now."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
