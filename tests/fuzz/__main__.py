"""``python -m tests.fuzz``: see --help."""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzz.properties import PROPERTIES
from tests.fuzz.running import Runner


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description="Fuzz sorryd in memory.")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long (default: 3)")
    parser.add_argument("--seed", type=int, help="what chance begins with (default: the time)")
    parser.add_argument("--only", choices=sorted(PROPERTIES), help="one property, not all of them")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    names = [options.only] if options.only else sorted(PROPERTIES)
    runner = Runner([PROPERTIES[name]() for name in names], lambda text: print(text, flush=True))
    runner.run(seed, options.minutes)
    return 1 if runner.found else 0


sys.exit(main())
