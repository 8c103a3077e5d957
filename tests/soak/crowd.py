"""Ten thousand connections, and floods: what each costs, and how long others wait meanwhile.

``python -m tests.soak.crowd [--seconds 5] [--only idle,comers]`` prints a table. The daemon has
one core, attackers and onlookers the others. The onlookers have a site of their own: what they
wait for is sorryd, not the members under attack. Exit status 1 where their p99 is 100 ms or
more, or one gets no answer.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.members import MemberProcess as QuietMember
from tests.soak import attacks
from tests.soak.attacks import Attack
from tests.soak.town import MemberProcess, free_ports

MOST: Final = 100.0  # milliseconds, of the onlookers' p99
ROOM: Final = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 64) // 2 - 50
"""The connections that the limit of descriptors lets the daemon have, but for the onlookers."""


@dataclasses.dataclass(frozen=True)
class Row:
    """An attack on a site that is live, or down, by a door."""

    name: str
    attack: Callable[[Attack, Callable[[], None]], Awaitable[None]]
    count: int
    down: bool = False
    tls: bool = False


ROWS: Final = (
    Row("idle", attacks.idle, min(10000, ROOM)),
    Row("slow heads", attacks.slow_heads, min(10000, ROOM)),
    Row("slow readers", attacks.slow_readers, 500),
    Row("pipelines", attacks.pipelines, 8),
    Row("pipelines down", attacks.pipelines, 8, down=True),
    Row("lines", attacks.lines, 8),
    Row("chunks", attacks.chunks, 8),
    Row("comers", attacks.comers, 200),
    Row("handshakes", attacks.handshakes, 8, tls=True),
)


async def onlookers(port: int, seconds: float) -> Any:
    """What they saw."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.onlookers", str(port), str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    return json.loads(said)


async def measure(daemon: Daemon, row: Row | None, seconds: float) -> bool:
    """Print a row of the table; whether the onlookers were well served."""
    port, before = daemon.port("quiet"), daemon.memory()
    attack = None
    attacking: asyncio.Future[None] | None = None
    if row is not None:
        daemon.ask("site.down" if row.down else "site.up", {"site": "shop"})
        attack = Attack(daemon.port(scheme="https" if row.tls else "http"), row.count)
        ready = asyncio.Event()
        attacking = asyncio.ensure_future(row.attack(attack, ready.set))
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait([waiting, attacking], return_when=asyncio.FIRST_COMPLETED)
    saw = await onlookers(port, seconds)
    grown = daemon.memory() - before
    if attack is not None and attacking is not None:
        if attacking.done() and (why := attacking.exception()):
            print(f"  the attack ended: {why!r}")
        attacking.cancel()
        await asyncio.wait([attacking])
        attack.close()
    name, count = (row.name, row.count) if row else ("nothing", 0)
    each = f"{grown / count / 1024:.1f}" if count >= 500 else "-"
    print(
        f"{name:17}{count:8}{grown >> 20:8}{each:>10}{saw['answers']:9}"
        f"{saw['p50']:9.1f}{saw['p99']:9.1f}{saw['max']:9.1f}  {saw['faults'] or ''}",
        flush=True,
    )
    return saw["p99"] < MOST and not saw["faults"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.soak.crowd")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each row")
    parser.add_argument("--only", help="names of rows, between commas")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    only = options.only and options.only.split(",")
    rows = [row for row in ROWS if not only or row.name in only]
    keys = dict.fromkeys(("timeout_header", "timeout_idle", "timeout_body"), "5m")
    keys |= {"max_connections": "15000", "certificate": "self-signed"}
    listen = "127.0.0.1:0, 127.0.0.1:0 tls"
    print(f"{'attack':17}{'count':>8}{'MiB':>8}{'KiB each':>10}{'answers':>9}", end="")
    print(f"{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    well = True
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder, QuietMember("hello") as quiet:
        for row in (None, *rows):
            member = MemberProcess("member", f"http://127.0.0.1:{port}", [str(port), "127.0.0.1"])
            ini = configuration([member.url], listen=listen, **keys)
            ini += section("quiet", [quiet.url], listen="127.0.0.1:0")
            with Daemon(Path(folder), ini) as daemon:
                cores = sorted(os.sched_getaffinity(0))
                os.sched_setaffinity(daemon.pid, cores[:1])
                os.sched_setaffinity(0, cores[1:] or cores)
                well &= asyncio.run(measure(daemon, row, options.seconds))
                os.sched_setaffinity(0, cores)
                daemon.kill()
            member.kill()
    return 0 if well else 1


sys.exit(main())
