"""Bytes from one socket into another without a copy into user space (splice(2)): Linux.

What a socket has received goes through a pipe, by reference. There is one pipe for all, which is
empty again before anybody else has a turn.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Final

MOST: Final = 1 << 20
"""Bytes moved at once, where the system lets a pipe be so large."""

_CAN_SPLICE: Final = hasattr(os, "splice")
_FLAGS: Final = 3  # SPLICE_F_MOVE, SPLICE_F_NONBLOCK
_SET_PIPE_SIZE: Final = 1031  # F_SETPIPE_SZ


class Pipe:
    """Where bytes are on their way between two sockets."""

    __slots__ = ("_in", "_out")

    def __init__(self) -> None:
        self._in = self._out = -1

    def is_open(self) -> bool:
        """Whether bytes may go through it, which is opened when that is asked first."""
        if self._in < 0 and _CAN_SPLICE:
            with contextlib.suppress(OSError):  # no descriptor is left: another time, then
                self._open()
        return self._in >= 0

    def fill(self, source: int, most: int) -> int:
        """Take up to `most` of the bytes that a socket has received; how many. 0: it has ended.

        Raises OSError, also where there is nothing yet (BlockingIOError).
        """
        return os.splice(source, self._in, min(most, MOST), flags=_FLAGS)

    def _open(self) -> None:
        self._out, self._in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._in, _SET_PIPE_SIZE, MOST)

    def pour(self, target: int, size: int) -> int:
        """Give a socket the first `size` bytes; how many it took. Raises OSError."""
        try:
            return os.splice(self._out, target, size, flags=_FLAGS)
        except (BlockingIOError, InterruptedError):
            return 0

    def drain(self, size: int) -> bytes:
        """Take the last `size` bytes out."""
        pieces = []
        while size:
            piece = os.read(self._out, size)
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
