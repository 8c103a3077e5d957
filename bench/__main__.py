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

from bench import backend, checks, control, load, proxies, report, rounds, start, verdict, window
from bench.options import Options, parse
from bench.places import Members, Place, Ports, prepare
from bench.processes import BenchError, Cores, Fleet
from bench.proxies import Absent, Name, Proxy, Stand
from bench.report import Results
from bench.scenarios import PLANS, Scenario, case
from bench.window import Edges

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


def start_all(
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


def start_two(options: Options, fleet: Fleet, place: Place) -> Stand:
    """The same with two workers each, where they are asked for."""
    folder = place.folder / "two"
    folder.mkdir()
    alike = prepare(folder, place.members)
    return start_all(options, fleet, alike, Cores.for_two(), workers=2)[0]


def time_window(options: Options, alone: Stand) -> Edges | None:
    """The window scenario, where it is asked for and sorryd runs."""
    ours = next((proxy for proxy in alone.running if proxy.name is Name.SORRYD), None)
    if ours is None or Scenario.WINDOW not in options.scenarios:
        return None
    rounds.progress(PLANS[Scenario.WINDOW].line)
    place = alone.place
    return window.run(case(Scenario.WINDOW, place, ours.ports), place.control, alone.cores.load)


def run(options: Options, folder: Path) -> Results:
    """Measure and report. Raises BenchError where it cannot be done."""
    cores = Cores.of_this_machine()
    place = prepare(folder, Members())
    with Fleet(folder) as fleet:
        members = backend.start(fleet, place, cores)
        alone, absent = start_all(options, fleet, place, cores)
        print(report.heading(alone.running, absent, members, load.generator()), flush=True)
        stands = dict.fromkeys(options.loads, alone)
        if Scenario.WORKERS in stands:
            stands[Scenario.WORKERS] = start_two(options, fleet, place)
        os.sched_setaffinity(0, cores.load)  # our own work is no burden to the proxies
        measured = rounds.compare(options, stands)
        edges = time_window(options, alone)
        starts = [] if edges is None else start.measure(place.control)
    return Results(
        proxies={proxy.name: proxy.version for proxy in alone.running},
        rounds=measured,
        judged=verdict.judge(measured),
        edges=edges,
        starts=starts,
    )


def tell(results: Results, file: Path | None) -> None:
    """Print the report, and write it to `file`. Raises OSError."""
    print(f"\n{report.table(verdict.rows(results.rounds))}\n\n{report.verdicts(results.judged)}")
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
        with tempfile.TemporaryDirectory(prefix="sorryd-bench-", dir="/tmp") as folder:
            results = run(options, Path(folder))
        tell(results, options.json)
        return 0 if results.well else 1
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
