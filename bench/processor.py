"""Processor time of a process and of all that it started, as finely as Linux tells it.

``/proc/PID/task/TID/schedstat`` has nanoseconds on the processor, user and system together. Where
the kernel keeps none, ``/proc/PID/stat`` has ticks of 10 ms. What is measured is the difference
of two readings.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a family of processes has used so far: nanoseconds by thread, and ticks of all.

    `nanoseconds` is empty where the kernel does not tell. Ticks are also of processes that have
    ended, nanoseconds are not: a thread that ends between two readings counts until the first.
    """

    nanoseconds: Mapping[int, int]
    ticks: int


class _Times(msgspec.Struct, frozen=True):
    parent: int
    ticks: int  # its own, and those of its children that ended


def read(root: int) -> Reading:
    """What the process `root` and its descendants have used until now."""
    table = dict(_all_times())
    pids = _family(root, table)
    return Reading(
        nanoseconds=dict(each for pid in pids for each in _threads(pid)),
        ticks=sum(table[pid].ticks for pid in pids),
    )


def seconds(before: Reading, after: Reading) -> float:
    """Processor seconds between two readings of one family; threads may be new in the second."""
    if not before.nanoseconds or not after.nanoseconds:
        return (after.ticks - before.ticks) / _TICKS_PER_SECOND
    known = before.nanoseconds
    return sum(used - known.get(tid, 0) for tid, used in after.nanoseconds.items()) / 1e9


def family(root: int) -> set[int]:
    """The process `root` and its descendants, those that live."""
    return _family(root, dict(_all_times()))


def _family(root: int, table: Mapping[int, _Times]) -> set[int]:
    found = {root}
    while more := {pid for pid, times in table.items() if times.parent in found} - found:
        found |= more
    return found & table.keys()


def _threads(pid: int) -> Iterator[tuple[int, int]]:
    with contextlib.suppress(OSError):  # it has ended, or there are no such files
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield int(task.name), int((task / "schedstat").read_text().split()[0])


def _all_times() -> Iterator[tuple[int, _Times]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), _parse_stat((entry / "stat").read_text())


def _parse_stat(line: str) -> _Times:
    # The name in parentheses may hold spaces and parentheses (proc(5)): fields count after it.
    fields = line.rpartition(")")[2].split()
    return _Times(parent=int(fields[1]), ticks=sum(int(field) for field in fields[11:15]))
