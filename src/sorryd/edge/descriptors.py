"""File descriptors: who stops first when they run out.

Visitors stop first: what nobody accepts waits in the kernel's queue. Each that is let in may
need a connection to a member. The last descriptors are for neither: the control socket, the
journal and the resolver fail in stranger ways where they can't open a file.
"""

from __future__ import annotations

import contextlib
import errno
import math
import resource
import sys
from collections.abc import Callable
from typing import Final

OTHERS: Final = 64
"""Descriptors for all that is no visitor and no connection to a member; some 30 are in use."""

SPARE: Final = 16
"""The last of them, which connections to members leave alone whatever there is in use."""

TOLD: Final = 60.0
"""Seconds between two lines in the log about the same want."""

EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of socket(2) and connect(2) that say nothing of the other side."""


def raise_limit(visitors: int) -> None:
    """Allow so many descriptors as `visitors` may need, as far as the hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * visitors + OTHERS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # some systems have a lower one of their own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_visitors() -> int:
    """How many visitors there may be at once, each with a connection to a member."""
    limit = _limit()
    return max(1, (limit - min(OTHERS, limit * 3 // 4)) // 2)


def is_spare(fd: int) -> bool:
    """Whether `fd` is one of those that are left to others.

    The kernel gives the lowest number that is free, so a high one says how many are open.
    """
    limit = _limit()
    return fd >= limit - min(SPARE, limit // 8)


class Room:
    """Whether one more visitor may be let in, of `most` at once.

    To count those that are there takes a look at every site. So it is done only when as many
    came as there was room for at the last count, whoever has left since.
    """

    def __init__(self, most: int, count: Callable[[], int]) -> None:
        self._most = most
        self._count = count
        self._left = 0  # at least

    def is_left(self) -> bool:
        """Whether there is; it is taken for used then."""
        if self._left <= 0:
            self._left = self._most - self._count()
            if self._left <= 0:
                return False
        self._left -= 1
        return True


class Seldom:
    """Whether a want may be told of again: once in `TOLD` seconds of a monotonic clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._until = -math.inf

    def is_due(self) -> bool:
        """Whether it is time; then not again for as long."""
        now = self._seconds()
        if now < self._until:
            return False
        self._until = now + TOLD
        return True


def _limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
