"""A short form of ``make chaos``: no request is lost, and no phase is wrong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.chaos.chaos import Chaos
from tests.chaos.reloads import Reloads, reload_under_load
from tests.chaos.town import Town

SEED = 5


@pytest.mark.parametrize("workers", [pytest.param([0], id="one process")])
def test_no_request_fails_while_it_reloads(tmp_path: Path, workers: Sequence[int]) -> None:
    """Members, weights, listeners, certificates, pages: again and again, under every load."""
    with Town(tmp_path, random.Random(SEED)) as town:
        verdict = reload_under_load(Reloads(town, workers), town, 12, 1)
    print(verdict)
    assert not verdict.violations
    assert verdict.requests > 100


@pytest.mark.parametrize("workers", [pytest.param(0, id="one process")])
def test_kills_cost_what_they_must(tmp_path: Path, workers: int) -> None:
    """Requests of the process that was killed, and no others; no phase, no command, no file."""
    with Town(tmp_path, random.Random(SEED)) as town:
        verdict = asyncio.run(Chaos(town, workers, 0.8).run(3.0, 1))
    print(verdict)
    assert not verdict.violations
    assert verdict.requests > 100
