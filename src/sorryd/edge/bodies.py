"""Message bodies as they come (RFC 9112 §6, §7.1): by length, or in the chunked coding.

Chunk sizes on one side say nothing about those on the other: what was read is written as one
chunk per piece, so no spelling of a sender's chunk lines ever reaches the other side.
"""

from __future__ import annotations

import re
from typing import Final

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.http1 import field_block_end, head_end
from sorryd.edge.trailers import passed_on
from sorryd.policy.fields import TOKEN

LAST_CHUNK: Final = b"0\r\n\r\n"

POURED: Final = 262144
"""Bytes still to come of a body, from which on nobody looks at them on their way."""

LOOKED_AT: Final = 16384
"""Bytes at its end that are looked at again, so that it ends as any body does."""

_QUOTED: Final = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]++|\\[\t\x20-\x7e\x80-\xff])*+"'
_EXTENSION: Final = (
    rb"[ \t]*+;[ \t]*+" + TOKEN + rb"(?:[ \t]*+=[ \t]*+(?:" + TOKEN + rb"|" + _QUOTED + rb"))?+"
)
_SIZE: Final = rb"([0-9A-Fa-f]{1,16}+)"
_LINE: Final = _SIZE + rb"(?:" + _EXTENSION + rb")*+"
_line: Final = re.compile(_LINE + rb"\r\n").match
_padded_line: Final = re.compile(_LINE + rb"[ \t]*+\r\n").match
# From the end of a chunk into the next one, where all is as usual.
_next: Final = re.compile(rb"\r\n([0-9A-Fa-f]{1,15}+)\r\n").match
# Lets some through that can't end well: they are refused when they end.
_part_of_line: Final = re.compile(
    rb"(?:" + _SIZE + rb"(?:[ \t]*+(?:;[\t\x20-\x7e\x80-\xff]*+)?)\r?)?\Z"
).match
_USUAL_LINE: Final = 18  # bytes: a size and CRLF, or an extension that does not matter
MAX_LINE: Final = 4096  # bytes of a chunk's line with its extensions
_MAX_SIZE: Final = 1 << 63


def chunk(data: bytes) -> bytes:
    """`data`, not empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def in_chunks(data: bytes, done: bool, trailers: bytes = b"") -> bytes:
    """The next piece of a chunked body; `done` with the last one, and its `trailers`.

    These are whole lines, each with its CRLF.
    """
    coded = chunk(data) if data else b""
    if not done:
        return coded
    return b"%b0\r\n%b\r\n" % (coded, trailers) if trailers else coded + LAST_CHUNK


class ChunkedReader:
    """Decodes one chunked body.

    `feed` returns the body bytes in a piece of input. `done` turns true after the trailer
    section; `rest` then holds what followed it, and `trailers` the lines of it that may be
    passed on (see trailers.py). Chunk extensions are checked and dropped (RFC 9112 §7.1.1).

    Raises BadMessage with `status` for what the grammar does not allow, and for trailers, or
    chunks' lines that are longer than a size, over `limit` bytes in all. `padded`: spaces may
    follow a size, as servers wrote them when HTTP/1.1 was young, and Apache still takes them.
    """

    __slots__ = (
        "_buffer", "_in_trailer", "_left", "_limit", "_line", "_long_lines", "_status", "done",
        "rest", "trailers",
    )  # fmt: skip

    def __init__(self, status: int, limit: int, padded: bool = False) -> None:
        self._status = status
        self._limit = limit
        self._line = _padded_line if padded else _line
        self._buffer = b""
        self._left = 0  # bytes of the current chunk still to come, its CRLF included
        self._long_lines = 0  # bytes of chunks' lines with extensions, so far
        self._in_trailer = False
        self.done = False
        self.rest = b""
        self.trailers = b""

    def feed(self, data: bytes) -> bytes:
        """The body bytes in `data`, joined; b"" where there are none yet."""
        if self._left > len(data) + 2 and not self._buffer:
            self._left -= len(data)
            return data
        searched = len(self._buffer)
        data = self._buffer + data
        self._buffer = b""
        pieces: list[bytes] = []
        at = 0
        while not self._in_trailer:
            searched = 0
            if self._left:
                at = self._take_chunks(data, at, pieces)
                if self._left:
                    break
            elif not (at := self._begin_chunk(data, at)):
                break
        if self._in_trailer:
            self._take_trailer(data[at:], searched)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _begin_chunk(self, data: bytes, at: int) -> int:
        """Read the chunk's line at `at`; where its data begins, or 0 while it is incomplete."""
        line = self._line(data, at)
        if line is None:
            self._buffer = data[at:]
            if len(self._buffer) > MAX_LINE or _part_of_line(self._buffer) is None:
                raise BadMessage(self._status, "malformed chunk")
            return 0
        size = int(line[1], 16)
        end = line.end()
        if size >= _MAX_SIZE or (end - at > _USUAL_LINE and not self._may_be(end - at)):
            raise BadMessage(self._status, "malformed chunk")
        if size:
            self._left = size + 2
        else:
            self._in_trailer = True
        return end

    def _may_be(self, length: int) -> bool:
        """Whether one more line may be so long."""
        self._long_lines += length
        return length <= MAX_LINE and self._long_lines <= self._limit

    def _take_chunks(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take what is there of the current chunk, and those that follow it as most do.

        A body may be nothing but chunks of one byte: the loop is what each of them costs.
        Returns where the next chunk begins; there is none yet while `_left` is not 0.
        """
        end = at + self._left - 2  # of the chunk's data
        last = len(data) - 2
        while end < last:
            line = _next(data, end)
            if line is None or not (size := int(line[1], 16)):
                break
            pieces.append(data[at:end])
            at = line.end()
            end = at + size
        if end > last:
            return self._take_part(data, at, end, pieces)
        if data[end : end + 2] != b"\r\n":
            raise BadMessage(self._status, "malformed chunk")
        pieces.append(data[at:end])
        self._left = 0
        return end + 2

    def _take_part(self, data: bytes, at: int, end: int, pieces: list[bytes]) -> int:
        """Take what is there of a chunk up to `end`, which is not whole."""
        pieces.append(data[at:end])
        # The CRLF may be cut in two: its half waits in the buffer, still counted in `_left`.
        self._buffer = data[end:]
        if self._buffer not in (b"", b"\r"):
            raise BadMessage(self._status, "malformed chunk")
        self._left = end + 2 - min(len(data), end)
        return len(data)

    def _take_trailer(self, data: bytes, searched: int) -> None:
        try:
            end = 2 if data[:2] == b"\r\n" else head_end(data, self._limit, searched)
        except BadMessage as why:
            raise BadMessage(self._status, "malformed trailer") from why
        if end < 0:
            self._buffer = data
            return
        if field_block_end(data, 0) != end:
            raise BadMessage(self._status, "malformed trailer")
        self.done = True
        self.rest = data[end:]
        if end > 2:
            self.trailers = passed_on(data[: end - 2])


class LengthReader:
    """A body of `length` bytes, read as `ChunkedReader` reads one of chunks."""

    __slots__ = ("done", "left", "rest")

    trailers = b""

    def __init__(self, length: int) -> None:
        self.left = length  # bytes of it still to come
        self.done = False
        self.rest = b""

    def to_pour(self) -> int:
        """Bytes that may pass without being looked at (see interfaces.Wire.pour); 0: too few."""
        return self.left - LOOKED_AT if self.left >= POURED else 0

    def feed(self, data: bytes) -> bytes:
        """The body bytes in `data`."""
        left = self.left
        if len(data) < left:
            self.left = left - len(data)
            return data
        self.done = True
        if len(data) == left:  # to slice all of it would copy it, where this is compiled
            return data
        self.rest = data[left:]
        return data[:left]


class UntilEndReader:
    """A body that ends with its connection."""

    __slots__ = ()

    done = False
    rest = b""
    trailers = b""

    def feed(self, data: bytes) -> bytes:
        """All of `data`."""
        return data


BodyReader = ChunkedReader | LengthReader | UntilEndReader
