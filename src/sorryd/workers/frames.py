"""What goes over a channel: messages with their descriptors, as bytes.

A frame is the length of its body and the number of its descriptors (``!IH``), one byte for each
descriptor to travel on (unix(7): SCM_RIGHTS needs one), and the body.
"""

from __future__ import annotations

import struct
from typing import Final

MOST_FDS: Final = 0xFFFF
"""Descriptors that one frame may have."""

_HEADER: Final = struct.Struct("!IH")


def head_of(body: bytes, fds: int) -> bytes:
    """What goes before `body`, which has `fds` descriptors."""
    return _HEADER.pack(len(body), fds) + bytes(fds)


class Frames:
    """Takes bytes as they come, and gives whole bodies; a body is copied once."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._body = bytearray()
        self._wanted = -1  # bytes of the body; -1: the head is not here
        self._fds = 0

    def feed(self, data: bytes) -> list[tuple[bytearray, int]]:
        """The bodies that are whole with `data`, each with the number of its descriptors."""
        whole = []
        with memoryview(data) as rest:
            at = 0
            while at < len(rest):
                at += self._take(rest[at:])
                if self._wanted == len(self._body):
                    whole.append((self._body, self._fds))
                    self._begin()
        return whole

    def _begin(self) -> None:
        self._head, self._body = bytearray(), bytearray()
        self._wanted, self._fds = -1, 0

    def _take(self, data: memoryview) -> int:
        """Take of one frame what is in `data`; the number of bytes."""
        if self._wanted >= 0:
            return _move(data, self._body, self._wanted)
        taken = _move(data, self._head, _HEADER.size + self._fds)
        if len(self._head) == _HEADER.size + self._fds:
            wanted, self._fds = _HEADER.unpack_from(self._head)
            if len(self._head) == _HEADER.size + self._fds:
                self._wanted = wanted
        return taken


def _move(data: memoryview, to: bytearray, size: int) -> int:
    """Put of `data` behind `to` until that has `size` bytes; how many."""
    piece = data[: size - len(to)]
    to += piece
    return len(piece)
