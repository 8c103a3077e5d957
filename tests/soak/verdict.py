"""What must be left of a soak: nothing but the truth in the access log."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.end_to_end.daemon import Daemon
from tests.soak.tally import Tally

GROWTH: Final = 24 << 20
"""Bytes of memory that the daemon may have more at the end than after its first visitors."""

QUIET: Final = 60.0
"""Seconds until all is closed: idle connections to members are kept for 30."""


async def wait_for_quiet(daemon: Daemon, descriptors: int, tally: Tally) -> None:
    """Until no more `descriptors` are open than there were, and nothing is in flight."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + QUIET
    while (open_ := daemon.descriptors()) > descriptors or in_flight(daemon):
        if clock() > deadline:
            links = [str(path.readlink()) for path in Path(f"/proc/{daemon.pid}/fd").iterdir()]
            tally.wrong(f"{open_} descriptors, not {descriptors}: {sorted(links)}")
            tally.wrong(f"in flight: {in_flight(daemon)}")
            return
        await asyncio.sleep(0.2)


def in_flight(daemon: Daemon) -> dict[str, int]:
    """Requests at each member that has any, as the daemon counts them."""
    sites: list[Any] = daemon.ask("status")["sites"]
    return {
        f"{site['name']} {member['url']}": member["active"]
        for site in sites
        for member in site["members"]
        if member["active"]
    }


def check_memory(before: int, after: int, tally: Tally) -> None:
    """Bytes of the daemon after its first visitors, and at the end."""
    if after - before > GROWTH:
        tally.wrong(f"memory grew from {before >> 20} MiB to {after >> 20} MiB")


def check_access_log(folder: Path, tally: Tally) -> str:
    """Each line is JSON, and each request that was answered has one, with its status."""
    seen: Counter[str] = Counter()
    lines = [line for file in folder.glob("access.json*") for line in file.open("rb")]
    unread = 0
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            tally.wrong(f"no JSON in the access log: {line!r}")
            continue
        target, status = entry["target"], entry["status"]
        if target not in tally.asked:
            unread += 1
            if status is None or not 400 <= status < 500:
                tally.wrong(f"nobody asked for what the access log has: {line!r}")
            continue
        seen[target] += 1
        answered = tally.asked[target]
        if answered not in (None, status):
            tally.wrong(f"{target} was answered {answered}, and in the access log: {line!r}")
    return _compare(seen, tally, f"{len(lines)} lines, {unread} of them of what is no request")


def _compare(seen: Counter[str], tally: Tally, said: str) -> str:
    answered = {target for target, status in tally.asked.items() if status is not None}
    for target in answered - seen.keys():
        tally.wrong(f"not in the access log: {target}, answered {tally.asked[target]}")
    for target, times in seen.items():
        if times > 1:
            tally.wrong(f"{times} lines in the access log: {target}")
    return (
        f"access log: {said}; {len(tally.asked)} requests begun, {len(answered)} answered whole, "
        f"{len(seen.keys() - answered)} in the log without a whole answer"
    )
