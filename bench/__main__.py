"""sorryd beside HAProxy, nginx and Apache, on this machine, in one run.

The verdict is by processor time a request of the proxy alone, theirs over ours: one core
carries the proxy, another the members and the load, which saturate first. Rounds are
interleaved and ratios taken within each, so that a machine whose speed changes does not
judge. Exit code: 0 what must be reached at least was, without an error; 1 not so; 2 the run
could not be made. A goal that is missed is told and fails nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench import backend, load, memory, report, rounds, stands, start, verdict, window
from bench.loads.rest import raise_limit
from bench.memory import Rest
from bench.options import Options, parse
from bench.places import Members, Place, prepare
from bench.processes import BenchError, Cores, Fleet, preferred
from bench.proxies import Name, Stand
from bench.report import Results
from bench.scenarios import PLANS, Scenario, case
from bench.window import Edges

_RESTING = 1500  # connections whose memory is measured
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


def time_window(options: Options, alone: Stand) -> Edges | None:
    """The window scenario, where it is asked for and sorryd runs."""
    ours = next((proxy for proxy in alone.running if proxy.name is Name.SORRYD), None)
    if ours is None or Scenario.WINDOW not in options.scenarios:
        return None
    rounds.progress(PLANS[Scenario.WINDOW].line)
    place = alone.place
    return window.run(case(Scenario.WINDOW, place, ours.ports), place.control, alone.cores.load)


def weigh_rests(options: Options, fleet: Fleet, place: Place, cores: Cores) -> list[Rest]:
    """Memory of connections at rest, where it is asked for: sorryd's, and two of the peers'."""
    if Scenario.MEMORY not in options.scenarios:
        return []
    rounds.progress(PLANS[Scenario.MEMORY].line)
    raise_limit()
    rests = [
        memory.at_rest(name, secure, fleet, place, cores, _RESTING)
        for name in (Name.SORRYD, Name.HAPROXY, Name.NGINX)
        for secure in (False, True)
        if name in options.proxies
    ]
    return [each for each in rests if each is not None]


def run(options: Options, folder: Path) -> Results:
    """Measure and report. Raises BenchError where it cannot be done."""
    cores = Cores.of_this_machine()
    place = prepare(folder, Members())
    with Fleet(folder) as fleet:
        members = backend.start(fleet, place, cores)
        found = stands.start(options, fleet, place, cores)
        print(report.heading(found.alone.running, found.absent, members, load.generator()))
        os.sched_setaffinity(0, cores.load)  # our own work is no burden to the proxies
        measured = rounds.compare(options, found.by_scenario)
        rests = weigh_rests(options, fleet, place, cores)
        edges = time_window(options, found.alone)
        starts = [] if edges is None else start.measure(place.control)
    judged = verdict.judge(measured, options.loads)
    if Scenario.MEMORY in options.scenarios:
        judged += verdict.judge_at_rest(rests)
    return Results(
        proxies={proxy.name: proxy.version for proxy in found.alone.running},
        rounds=measured,
        judged=judged,
        rests=rests,
        edges=edges,
        starts=starts,
    )


def tell(results: Results, file: Path | None) -> None:
    """Print the report, and write it to `file`. Raises OSError."""
    print(f"\n{report.table(verdict.rows(results.rounds))}\n\n{report.verdicts(results.judged)}")
    if results.rests:
        print(report.memory(results.rests))
    if results.edges is not None:
        print(report.window(results.edges))
    for each in results.starts:
        print(report.start(each))
    if file is not None:
        report.write(results, file)


def _end(number: int, frame: FrameType | None) -> None:
    for each in _ENDS:  # one is enough: what was started is being ended
        signal.signal(each, signal.SIG_IGN)
    raise BenchError(f"ended by {signal.Signals(number).name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code is as the module says."""
    options = parse(arguments, __doc__)
    for number in _ENDS:
        signal.signal(number, _end)
    signal.alarm(options.limit)
    try:
        # A short path: a UNIX socket's has room for 107 bytes.
        with preferred(), tempfile.TemporaryDirectory(prefix="sorryd-bench-", dir="/tmp") as folder:
            results = run(options, Path(folder))
        tell(results, options.json)
        return 0 if results.well else 1
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
