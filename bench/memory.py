"""Memory of sorryd: of each of its processes, and of each connection at rest.

``python -m bench.memory [--workers 0,2] [--connections 5000]``. Each connection is kept alive after
one answer. PSS counts what processes share once in all, RSS counts it in each of them (proc(5)).
Exit code: 0 the goals were reached, 1 not so, 2 nothing could be measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import backend, proxies
from bench.checks import unverified
from bench.goals import AT_REST
from bench.loads.rest import raise_limit, visit, visits
from bench.places import Members, Place, Ports, beside, prepare
from bench.processes import BenchError, Cores, Fleet
from bench.processor import family
from bench.proxies import Name, Proxy

_WARM = 300  # connections that come and go before it counts
_QUIET = 2.0  # seconds until what is freed is free


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of one process, in bytes."""

    pid: int
    name: str
    rss: int
    pss: int


def memory(root: int) -> list[Held]:
    """That of `root` and of all that it started, itself first."""
    return [_held(pid) for pid in sorted(family(root), key=lambda pid: (pid != root, pid))]


def _held(pid: int) -> Held:
    fields: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name] = int(value.split()[0]) * 1024
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    return Held(pid=pid, name=name, rss=fields["Rss"], pss=fields["Pss"])


def each(proxy: Proxy, secure: bool, count: int) -> tuple[float, list[Held]]:
    """KiB that each of so many connections takes, and all processes while they are open."""
    port, tls = (proxy.ports.tls, unverified()) if secure else (proxy.ports.plain, None)
    for sock in visits(port, tls, _WARM):
        sock.close()
    time.sleep(_QUIET)
    before = sum(one.pss for one in memory(proxy.pid))
    socks = visits(port, tls, count)
    time.sleep(_QUIET)
    held = memory(proxy.pid)
    for sock in socks:
        sock.close()
    return (sum(one.pss for one in held) - before) / count / 1024, held


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """KiB of each connection at rest at a proxy."""

    proxy: Name
    secure: bool
    kib: float


def at_rest(
    name: Name, secure: bool, fleet: Fleet, place: Place, cores: Cores, count: int
) -> Rest | None:
    """That of the proxy `name`, started for it: memory that was freed before would be had again.

    None where it is not installed. Raises BenchError, and OSError.
    """
    own = beside(place, f"rest-{name}-{'tls' if secure else 'plain'}")
    proxy = proxies.start(name, fleet, own, Ports(), cores)
    if not isinstance(proxy, Proxy):
        return None
    return Rest(proxy=name, secure=secure, kib=each(proxy, secure, count)[0])


def measure(workers: int, count: int) -> bool:
    """Print all of one daemon; whether the goals were reached."""
    well = True
    for secure in (False, True):
        with tempfile.TemporaryDirectory(prefix="sorryd-bench-", dir="/tmp") as folder:
            place = prepare(Path(folder), Members())
            with Fleet(place.folder) as fleet:
                cores = Cores.for_two()
                backend.start(fleet, place, cores)
                proxy = proxies.start(Name.SORRYD, fleet, place, Ports(), cores, workers)
                if not isinstance(proxy, Proxy):
                    raise BenchError(proxy.why)
                if not secure:
                    visit(proxy.ports.plain, None).close()
                    time.sleep(_QUIET)
                    print(f"workers = {workers}, after one request")
                    _tell(memory(proxy.pid))
                kib, held = each(proxy, secure, count)
        reached = kib <= AT_REST[secure][1]
        print(
            f"  {count} {'TLS' if secure else 'plain'} connections at rest: {kib:.1f} KiB each, ",
            end="",
        )
        print("reached" if reached else "MISSED", flush=True)
        _tell(held)
        well &= reached
    return well


def _tell(held: Sequence[Held]) -> None:
    for one in held:
        rss, pss = one.rss / 2**20, one.pss / 2**20
        print(f"    {one.pid:8} RSS {rss:6.1f} MiB, PSS {pss:6.1f}  {one.name}")


def main() -> int:
    """Measure; the exit code is as the module says."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--workers", default="0,2", help="one daemon each, default: %(default)s")
    parser.add_argument("--connections", type=int, default=5000, help="default: %(default)s")
    options = parser.parse_args()
    raise_limit()
    try:
        counts = [int(number) for number in options.workers.split(",")]
        missed = sum(not measure(count, options.connections) for count in counts)
        return 1 if missed else 0
    except (BenchError, OSError, ValueError) as error:
        print(f"bench.memory: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
