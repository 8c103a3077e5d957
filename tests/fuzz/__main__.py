"""``python -m tests.fuzz``: see --help."""

from __future__ import annotations

import argparse
import functools
import sys
import time
from pathlib import Path

from tests.fuzz.case import KEPT
from tests.fuzz.properties import PROPERTIES
from tests.fuzz.running import Runner


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description="Fuzz sorryd in memory.")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long (default: 3)")
    parser.add_argument("--seed", type=int, help="what chance begins with (default: the time)")
    parser.add_argument("--only", choices=sorted(PROPERTIES), help="one property, not all of them")
    parser.add_argument("--keep", type=Path, default=KEPT, help="the folder for what is found")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    names = [options.only] if options.only else sorted(PROPERTIES)
    properties = [PROPERTIES[name]() for name in names]
    runner = Runner(properties, functools.partial(print, flush=True), options.keep)
    runner.run(seed, options.minutes)
    return 1 if runner.found else 0


sys.exit(main())
