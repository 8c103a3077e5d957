"""The rounds: every proxy in turn under one load, then the next load, then all again."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence

from bench import bodies, goals, load, processor
from bench.awake import awake
from bench.options import Options
from bench.processes import Set
from bench.proxies import Name, Proxy, Stand
from bench.scenarios import PLANS, Case, Scenario, case
from bench.verdict import Measured, Round

_LOG_LIMIT = 16 * 1024 * 1024  # bytes of an access log, above which it is emptied


def compare(options: Options, stands: Mapping[Scenario, Stand]) -> list[Round]:
    """All rounds. Raises BenchError where a load does not run."""
    for scenario, stand in stands.items():
        for proxy in stand.running:  # connections to members and processors' caches warm up
            load.run(case(scenario, stand.place, proxy.ports).load(1), stand.cores.load)
    rounds = list[Round]()
    for number in range(1, options.rounds + 1):
        for scenario, stand in stands.items():
            plan = PLANS[scenario]
            progress(f"round {number} of {options.rounds}: {plan.line}")
            cores = stand.cores.proxy | stand.cores.load
            with awake(cores) if plan.kind is load.Kind.LONE else contextlib.nullcontext():
                rounds += _turns(number, scenario, stand, options.seconds)
    return rounds


def _turns(number: int, scenario: Scenario, stand: Stand, seconds: int) -> list[Round]:
    """All of one round."""
    turns = PLANS[scenario].turns
    return [
        _round(at, scenario, proxy, stand, seconds)
        for at in range((number - 1) * turns + 1, number * turns + 1)
        for proxy in in_turn(at, stand.running)
        if is_due(number, scenario, proxy.label)
    ]


def _round(number: int, scenario: Scenario, proxy: Proxy, stand: Stand, seconds: int) -> Round:
    asked = case(scenario, stand.place, proxy.ports)
    measured = _measure(proxy, asked, seconds, stand.cores.load)
    return Round(number=number, scenario=scenario, proxy=proxy.label, measured=measured)


def in_turn(number: int, running: Sequence[Proxy]) -> Sequence[Proxy]:
    """Those that run, in the order of the round: to and fro, so that nobody is always the first."""
    return running if number % 2 else running[::-1]


def is_due(number: int, scenario: Scenario, label: str) -> bool:
    """Whether it is measured in the round `number`: every third one, unless it is judged by it."""
    judged = goals.peers(scenario)
    return number % 3 == 1 or label in judged or (label == Name.SORRYD and bool(judged))


def _measure(proxy: Proxy, asked: Case, seconds: int, cores: Set) -> Measured:
    broken = bodies.broken(asked)
    before = processor.read(proxy.pid)
    counted = load.run(asked.load(seconds), cores)
    used = processor.seconds(before, processor.read(proxy.pid))
    broken += bodies.broken(asked)
    _empty(proxy)
    return Measured(processor=used, counted=counted, broken_bodies=broken)


def _empty(proxy: Proxy) -> None:
    """Keep the disk free: all of them append, so whatever comes next is at the beginning."""
    if proxy.log.exists() and proxy.log.stat().st_size > _LOG_LIMIT:
        os.truncate(proxy.log, 0)


def progress(line: str) -> None:
    """Say on stderr what is done now."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
