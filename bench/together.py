"""Several runs put together: ``python -m bench.together FILE...``, each as ``--json`` wrote it.

Prints the table of verdicts by the medians of the runs' values, and those values beside. Exit code
as that of a run: 0 what must be reached at least was, and no run had an error; 1 not so; 2 a file
can't be read.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import report
from bench.verdict import Judged, Round


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a run."""

    judged: list[Judged]
    rounds: list[Round]


def put_together(runs: Sequence[Run]) -> list[tuple[Judged, list[float]]]:
    """Each row by the median of its values, and those; a run that has none does not count."""
    rows = dict.fromkeys(_key(each) for run in runs for each in run.judged)
    found = []
    for key in rows:
        of = [each for run in runs for each in run.judged if _key(each) == key]
        values = [each.value for each in of if each.value is not None]
        median = statistics.median(values) if values else None
        found.append((msgspec.structs.replace(of[-1], value=median), values))
    return found


def _key(judged: Judged) -> tuple[str, str]:
    return judged.what, judged.unit


def main() -> int:
    """Print it; the exit code is as the module says."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        runs = [msgspec.json.decode(Path(x).read_bytes(), type=Run) for x in sys.argv[1:]]
    except (OSError, msgspec.DecodeError) as error:
        print(f"bench.together: {error}", file=sys.stderr)
        return 2
    rows = put_together(runs)
    head, *lines = report.verdicts([judged for judged, _ in rows]).splitlines()
    print(f"{head}, by the medians of {len(runs)} runs")
    for line, (_, values) in zip(lines, rows, strict=True):
        print(f"{line} ({', '.join(f'{value:.2f}' for value in values)})")
    errors = sum(each.measured.errors for run in runs for each in run.rounds)
    print(f"errors: {errors}")
    return 1 if errors or any(judged.missed for judged, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
