"""Where a stream of WebSocket frames stands (RFC 6455 §5.2), and the frame that closes one.

Headers alone are read, payloads are skipped by their length. Extensions change nothing of that:
control frames, Close among them, stand between any two frames, and are never compressed.
"""

from __future__ import annotations

import secrets
import struct
from typing import Final

GOING_AWAY: Final = 1001
"""RFC 6455 §7.4.1: a server that goes down."""

DENSE: Final = 512
"""Frames in one piece of data. Each costs work: of a stream that has more nothing is known."""

_CLOSE: Final = 0x8
_LAST_CONTROL: Final = 0xA  # Pong
_LAST_DATA: Final = 0x2  # binary


class Frames:
    """One direction, whose frames `is_masked` (a client's, RFC 6455 §5.1) or not."""

    __slots__ = (
        "_head", "_is_masked", "_is_whole", "_left", "_opcode", "is_closed", "is_lost",
    )  # fmt: skip

    def __init__(self, is_masked: bool) -> None:
        self._is_masked = is_masked
        self._head = b""  # of a frame whose header is not whole
        self._left = 0  # bytes of its payload
        self._opcode = -1
        self._is_whole = True  # the last message
        self.is_closed = False  # a whole Close frame has passed
        self.is_lost = False  # what passed were no such frames, or too many

    @property
    def is_between(self) -> bool:
        """Whether the last message is whole, and the next one has not begun.

        Close may stand between the frames of one (RFC 6455 §5.4), but there are readers who
        take that for an error.
        """
        return self._is_whole and not (self._left or self._head or self.is_lost)

    def feed(self, data: bytes) -> None:
        """`data` passes."""
        size = len(data)
        if size < self._left:  # most of what is large
            self._left -= size
        elif not self.is_lost:
            at = count = 0
            while at < size and not self.is_lost:
                at = self._go_on(data, at)
                count += 1
                if count > DENSE:
                    self.is_lost = True

    def rest(self, data: bytes) -> int:
        """Bytes at the beginning of `data` that belong to the frame which has begun, or begins."""
        if self._left:
            return min(self._left, len(data))
        whole = _frame_size(self._head + data)
        return len(data) if whole < 0 else min(whole - len(self._head), len(data))

    def _go_on(self, data: bytes, at: int) -> int:
        """Pass over the rest of a frame, or over a whole one, at `at`; where what follows is."""
        size = len(data)
        if not self._left:
            if self._head:
                data, at = self._head + data[at:], 0
                size = len(data)
            skipped = _header_size(data, at)
            if skipped < 0:
                self._head = data[at:]
                return size
            begun = len(self._head)
            self._head = b""
            self._judge(data, at)
            self._left = _payload_size(data, at)
            if begun:  # back to where `data` itself counts
                return self._skip(skipped - begun, size - begun)
            at += skipped
        return self._skip(at, size)

    def _skip(self, at: int, size: int) -> int:
        """Pass over what is here of the payload."""
        here = min(self._left, size - at)
        self._left -= here
        if not self._left and self._opcode == _CLOSE:
            self.is_closed = True
        return at + here

    def _judge(self, data: bytes, at: int) -> None:
        first, second = data[at], data[at + 1]
        self._opcode = opcode = first & 0x0F
        is_last = first >= 0x80
        if _CLOSE <= opcode <= _LAST_CONTROL:
            is_right = is_last and second & 0x7F <= 125
        else:
            is_right = opcode <= _LAST_DATA
            self._is_whole = is_last
        self.is_lost = not is_right or (second >= 0x80) is not self._is_masked or self.is_closed


def close_frame(is_masked: bool, code: int, reason: bytes = b"") -> bytes:
    """A Close frame (RFC 6455 §5.5.1); `reason` is at most 123 bytes of UTF-8."""
    payload = struct.pack("!H", code) + reason
    if not is_masked:
        return bytes((0x80 | _CLOSE, len(payload))) + payload
    key = secrets.token_bytes(4)
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    return bytes((0x80 | _CLOSE, 0x80 | len(payload))) + key + masked


def _header_size(data: bytes, at: int) -> int:
    """Bytes of the header at `at`; -1 where it is not whole."""
    here = len(data) - at
    if here < 2:
        return -1
    second = data[at + 1]
    size = (6 if second >= 0x80 else 2) + _size_of_length(second & 0x7F)
    return size if here >= size else -1


def _size_of_length(short: int) -> int:
    """Bytes that hold the length, behind the two that every frame has."""
    if short < 126:
        return 0
    return 2 if short == 126 else 8


def _payload_size(data: bytes, at: int) -> int:
    short = data[at + 1] & 0x7F
    if short < 126:
        return short
    if short == 126:
        return data[at + 2] << 8 | data[at + 3]
    return int.from_bytes(data[at + 2 : at + 10], "big")


def _frame_size(data: bytes) -> int:
    """Bytes of the frame that `data` begins with; -1 where its header is not whole."""
    header = _header_size(data, 0)
    return -1 if header < 0 else header + _payload_size(data, 0)
