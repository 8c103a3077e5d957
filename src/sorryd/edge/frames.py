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
_CONTROL: Final = (0x8, 0x9, 0xA)
_DATA: Final = (0x0, 0x1, 0x2)
_LENGTHS: Final = {126: 2, 127: 8}  # bytes that hold the length


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
        return len(data) if whole is None else min(whole - len(self._head), len(data))

    def _go_on(self, data: bytes, at: int) -> int:
        """Pass over the rest of a frame, or over a whole one, at `at`; where what follows is."""
        size = len(data)
        if not self._left:
            if self._head:
                data, at = self._head + data[at:], 0
                size = len(data)
            skipped = _header_size(data, at)
            if skipped is None:
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
        is_control = opcode in _CONTROL
        self.is_lost = (
            not (is_control or opcode in _DATA)
            or bool(second & 0x80) is not self._is_masked
            or (is_control and (not first & 0x80 or second & 0x7F > 125))
            or self.is_closed
        )
        if not is_control:
            self._is_whole = bool(first & 0x80)


def close_frame(is_masked: bool, code: int, reason: bytes = b"") -> bytes:
    """A Close frame (RFC 6455 §5.5.1); `reason` is at most 123 bytes of UTF-8."""
    payload = struct.pack("!H", code) + reason
    if not is_masked:
        return bytes((0x80 | _CLOSE, len(payload))) + payload
    key = secrets.token_bytes(4)
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    return bytes((0x80 | _CLOSE, 0x80 | len(payload))) + key + masked


def _header_size(data: bytes, at: int) -> int | None:
    """Bytes of the header at `at`; None where it is not whole."""
    here = len(data) - at
    if here < 2:
        return None
    second = data[at + 1]
    size = 2 + _LENGTHS.get(second & 0x7F, 0) + (4 if second & 0x80 else 0)
    return size if here >= size else None


def _payload_size(data: bytes, at: int) -> int:
    short = data[at + 1] & 0x7F
    if short < 126:
        return short
    return int.from_bytes(data[at + 2 : at + 2 + _LENGTHS[short]], "big")


def _frame_size(data: bytes) -> int | None:
    """Bytes of the frame that `data` begins with; None where its header is not whole."""
    header = _header_size(data, 0)
    return None if header is None else header + _payload_size(data, 0)
