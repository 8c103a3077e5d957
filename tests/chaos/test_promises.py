"""A short form of ``make chaos``: no request is lost, and no phase is wrong."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from tests.chaos.chaos import Chaos
from tests.chaos.reloads import Reloads, reload_under_load
from tests.chaos.town import Town

SEED = 24


def test_no_request_fails_while_it_reloads(tmp_path: Path) -> None:
    """Members, weights, listeners, certificates, pages, the number of workers, under every load."""
    with Town(tmp_path, random.Random(SEED)) as town:
        reloads = Reloads(town, [2, 1, 0])
        verdict = reload_under_load(reloads, town, 12, 1)
    print(verdict)
    assert not verdict.violations
    assert verdict.requests > 100
    assert reloads.deeds["workers"] > 1


def test_kills_cost_what_they_must(tmp_path: Path) -> None:
    """Requests of the process that was killed, and no others; no phase, no command, no file."""
    with Town(tmp_path, random.Random(SEED)) as town:
        chaos = Chaos(town, [2], 0.5, ("control", "both"))
        verdict = asyncio.run(chaos.run(3.0, 1))
    print(verdict)
    assert not verdict.violations
    assert verdict.requests > 100
