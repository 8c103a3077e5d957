"""Cores that do not fall asleep, while one connection's latency is measured.

One request at a time leaves every core idle most of the time. How long an idle one takes to wake is
the machine's affair, and a virtual one's host may take ten times as long for some hundredths of a
second: a slowest hundredth of that says which proxy was up when it happened. So a process on each
core, with the policy SCHED_IDLE (sched(7)), takes what nobody else wants, as ``idle=poll`` on the
kernel's command line would.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

from bench.processes import Set, pinned

_LOOK = 1_000_000  # turns, some milliseconds, after which it looks whether it is still wanted


@contextlib.contextmanager
def awake(cores: Set) -> Iterator[None]:
    """Keep `cores` awake until the end."""
    with contextlib.ExitStack() as kept:
        for core in sorted(cores):
            command = [sys.executable, "-m", "bench.awake", str(os.getpid())]
            with pinned(frozenset({core})):
                process = kept.enter_context(subprocess.Popen(command, start_new_session=True))
            kept.callback(process.kill)
        yield


def keep(parent: int) -> None:
    """Keep our core awake, as long as `parent` lives, which started this process."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):  # the policy counts only within a session (autogroup)
        Path("/proc/self/autogroup").write_text("19")
    while os.getppid() == parent:
        deque(repeat(None, _LOOK), maxlen=0)  # a loop that leaves the caches to the others


if __name__ == "__main__":
    keep(int(sys.argv[1]))
