"""``python -m tests.soak``: see --help."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.wire import anybody
from tests.soak.chaos import Chaos
from tests.soak.line import Doors
from tests.soak.tally import Tally
from tests.soak.town import Town
from tests.soak.verdict import check_access_log, check_memory, wait_for_quiet
from tests.soak.visitors import Visitors

CALM: Final = 5.0  # seconds at the beginning, and visits at the end
SETTLED: Final = 8.0  # seconds until what was mended is known to be well


async def soak(town: Town, tally: Tally, minutes: float, visitors: int) -> None:
    """Begin in calm, then chaos, then calm again, and quiet at the end."""
    doors = Doors(town.ports, anybody())
    daemon, clock = town.daemon, asyncio.get_running_loop().time
    descriptors = daemon.descriptors()
    people = Visitors(doors, tally, town.chance, visitors)
    coming = asyncio.create_task(people.run())
    await asyncio.sleep(CALM)
    memory = daemon.memory()
    tally.is_calm = False
    chaos = Chaos(town)
    await chaos.run(clock() + minutes * 60)
    print("deeds:", dict(chaos.deeds), flush=True)
    people.stop()
    await coming
    await asyncio.sleep(SETTLED)
    tally.is_calm = True
    await people.look_around(100)
    await wait_for_quiet(daemon, descriptors, tally)
    print(f"memory: {memory >> 20} MiB, then {daemon.memory() >> 20} MiB", flush=True)
    check_memory(memory, daemon.memory(), tally)


def finish(town: Town, tally: Tally) -> None:
    """Stop the daemon, and look at what it has written."""
    try:
        town.daemon.stop()
    except (AssertionError, pytest.fail.Exception) as why:
        tally.wrong(f"the daemon did not end well: {str(why)[-3000:]}")
    errors = [line for line in town.daemon.log.splitlines() if "#error]" in line]
    print(f"the daemon's log: {len(errors)} errors; the last: {errors[-3:]}")
    print(check_access_log(town.folder, tally))
    print(tally.summary())


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.soak", description="Soak a real sorryd.")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long (default: 3)")
    parser.add_argument("--seed", type=int, help="what chance begins with (default: the time)")
    parser.add_argument("--visitors", type=int, default=24, help="at any time (default: 24)")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    tally = Tally()
    with Town(Path(tempfile.mkdtemp(prefix="soak-")), random.Random(seed)) as town:
        asyncio.run(soak(town, tally, options.minutes, options.visitors))
        finish(town, tally)
        town.keep = bool(tally.violations)
        if town.keep:
            print(f"what it left is in {town.folder}")
    return 1 if tally.violations else 0


sys.exit(main())
