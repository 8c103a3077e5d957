"""Who stands beside whom, by scenario: the proxies, or sorryd and its small self."""

from __future__ import annotations

import time

import msgspec

from bench import checks, control, growth, proxies
from bench.options import Options
from bench.places import Place, Ports, beside
from bench.processes import BenchError, Cores, Fleet, prefer
from bench.proxies import Absent, Name, Proxy, Stand
from bench.rounds import progress
from bench.scenarios import GROWTH, Scenario

_SETTLES = 5.0  # seconds that one who has much to look after has before it counts


class Stands(msgspec.Struct, frozen=True, kw_only=True):
    """All of a run; a scenario that can't be had here is not among them."""

    alone: Stand  # one process or thread each; nobody in it where it is not asked for
    by_scenario: dict[Scenario, Stand]
    absent: list[Absent]


def start(options: Options, fleet: Fleet, place: Place, cores: Cores) -> Stands:
    """Start all that the scenarios need. Raises BenchError."""
    alone, absent = Stand(running=(), place=place, cores=cores), list[Absent]()
    if any(each not in (*GROWTH, Scenario.WORKERS, Scenario.MEMORY) for each in options.scenarios):
        alone, absent = _alone(options, fleet, place, cores)
    found = {each: alone for each in options.loads if each not in GROWTH}
    if Scenario.WORKERS in found:
        found[Scenario.WORKERS] = _two(options, fleet, place)
    for scenario in options.loads:
        if scenario in GROWTH:
            try:
                found[scenario] = growth.start(scenario, fleet, place, cores)
            except growth.UnavailableError as error:
                progress(f"{scenario} is not measured: {error}")
    for stand in found.values():
        for proxy in stand.running:
            prefer(proxy.pid)  # workers, too, which may have come later
    if any(each in GROWTH for each in found):
        time.sleep(_SETTLES)
    return Stands(alone=alone, by_scenario=found, absent=absent)


def _alone(
    options: Options, fleet: Fleet, place: Place, cores: Cores, workers: int = 0
) -> tuple[Stand, list[Absent]]:
    """Start the proxies, and see that all do the work."""
    running: list[Proxy] = []
    absent: list[Absent] = []
    for name in options.proxies:
        started = proxies.start(name, fleet, place, Ports(), cores, workers)
        if isinstance(started, Proxy):
            running.append(started)
        elif name is Name.SORRYD:
            raise BenchError(f"sorryd: {started.why}")
        else:
            absent.append(started)
    for proxy in running:
        if proxy.name is Name.SORRYD:
            control.down(place.control, "sorry")
        if faults := checks.missing_work(proxy):
            raise BenchError(f"{proxy.name}: {'; '.join(faults)}")
    return Stand(running=tuple(running), place=place, cores=cores), absent


def _two(options: Options, fleet: Fleet, place: Place) -> Stand:
    """The same with two workers each, where they are asked for."""
    return _alone(options, fleet, beside(place, "two"), Cores.for_two(), workers=2)[0]
