"""What the first process of a container owes: it sees those to their end that nobody waits for.

Processes whose parents died become children of the first one (PID 1), or of one that has asked for
it (prctl(2), PR_SET_CHILD_SUBREAPER): what a hook's program left behind, workers whose fork server
is gone. Dead, they stay in the table of processes until somebody has waited for them.

Who started a process waits for it at once. So a child that stays dead from one look to the next is
nobody's.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

log = Logger()

EVERY: Final = 2.0
"""Seconds between two looks."""

_GET_CHILD_SUBREAPER: Final = 37  # linux/prctl.h
_DEAD: Final = os.WEXITED | os.WNOHANG | os.WNOWAIT  # tell of it, and leave it as it is


class Reaping:
    """Looks every `EVERY` seconds, where orphans come to us."""

    def __init__(self, reactor: Any) -> None:
        self._dead: frozenset[int] = frozenset()  # at the last look
        self._looking = LoopingCall(self.look)
        self._looking.clock = reactor

    def start(self) -> None:
        """Begin, where it is needed."""
        if takes_orphans():
            self._looking.start(EVERY)

    def stop(self) -> None:
        """Look no more."""
        if self._looking.running:
            self._looking.stop()

    def look(self) -> None:
        """Reap those that were dead at the last look already."""
        dead = frozenset(pid for pid in _children() if _is_dead(pid))
        orphans = dead & self._dead
        for pid in orphans:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if orphans:
            log.debug("reaped {count} processes that nobody waited for", count=len(orphans))
        self._dead = dead - orphans


def takes_orphans() -> bool:
    """Whether processes become children of this one when their parents die."""
    if os.getpid() == 1:
        return True
    asked = ctypes.c_int(0)
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux alone has it
    if prctl is not None:
        prctl(_GET_CHILD_SUBREAPER, ctypes.byref(asked), 0, 0, 0)
    return asked.value == 1


def _children() -> frozenset[int]:
    """All children of this process; where the kernel does not list them, one that is dead."""
    found: set[int] = set()
    try:
        for task in Path("/proc/self/task").iterdir():
            found.update(map(int, (task / "children").read_text().split()))
    except OSError:
        with suppress(ChildProcessError):
            one = os.waitid(os.P_ALL, 0, _DEAD)
            found = {one.si_pid} if one is not None else set()
    return frozenset(found)


def _is_dead(pid: int) -> bool:
    with suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, _DEAD) is not None
    return False
