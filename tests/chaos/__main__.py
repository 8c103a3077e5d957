"""``python -m tests.chaos``: see --help."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.chaos import Chaos
from tests.chaos.reloads import Reloads, reload_under_load
from tests.chaos.town import Town
from tests.chaos.verdict import Verdict


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Reloads under load, then kills at random; exit 1 where a promise was broken.",
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="of kills, default 2")
    parser.add_argument("--reloads", type=int, default=100, help="default 100")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--workers", default="2,1,0", help="counts between which reloads go")
    parser.add_argument("--visitors", type=int, default=8, help="of the commonest kinds")
    parser.add_argument("--pause", type=float, default=1.5, help="seconds between kills")
    parser.add_argument(
        "--deeds", default="", help="only these: control,worker,stop,server,both,upgrade,freeze"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    return parser.parse_args()


def main() -> int:
    """Both, one after the other."""
    options = parse()
    print(f"seed {options.seed}", flush=True)
    workers = [int(number) for number in options.workers.split(",")]
    verdicts: list[Verdict] = []
    if options.reloads:
        with _town(options) as town:
            verdicts.append(
                reload_under_load(Reloads(town, workers), town, options.reloads, options.visitors)
            )
            print(f"--- {options.reloads} reloads\n{verdicts[-1]}", flush=True)
    if options.minutes:
        with _town(options) as town:
            deeds = options.deeds.split(",") if options.deeds else ()
            chaos = Chaos(town, workers, options.pause, deeds)
            verdicts.append(asyncio.run(chaos.run(options.minutes * 60, options.visitors)))
            print(f"--- {options.minutes:g} minutes of chaos\n{verdicts[-1]}", flush=True)
    return 1 if any(verdict.violations for verdict in verdicts) else 0


def _town(options: argparse.Namespace) -> Town:
    folder = Path(tempfile.mkdtemp(prefix="sorryd-chaos-"))
    if options.keep:
        print(f"in {folder}", flush=True)
    return Town(folder, random.Random(options.seed), keep=options.keep)


if __name__ == "__main__":
    sys.exit(main())
