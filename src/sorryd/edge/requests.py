"""What a visitor sends, taken apart: heads, bodies, and what is ahead of its turn."""

from __future__ import annotations

from typing import Final, Protocol

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.bodies import BodyReader, ChunkedReader, LengthReader
from sorryd.edge.http1 import check_beginning, head_end, read_request
from sorryd.edge.repeated import Repeated
from sorryd.policy.heads import RequestHead

DISCARDED: Final = 1 << 20
"""Bytes of a request's body that are read away after its answer, to keep the connection."""

EMPTY_LINES: Final = 4
"""Before a request, that are read over. RFC 9112 §2.2 asks for one; more hold a line open."""

WHOLE: Final = 16384
"""Bytes of a body from which on it is not copied where it came with its head."""

_TOO_LARGE: Final = "the body is larger than the limit"


class Limits(Protocol):
    """Sizes in bytes."""

    @property
    def max_header_bytes(self) -> int:
        """Of a request's head, and of its trailers."""

    @property
    def max_body_bytes(self) -> int:
        """Of a request's body; 0: no limit."""


class RequestReader:
    """Reads requests one after the other.

    `body` is what the current request's body is read by, None where all of it was. `ahead`
    holds bytes that can't be read yet: an incomplete head, or requests that must wait.
    """

    __slots__ = ("_discarded", "_empty_lines", "_received", "_repeated", "ahead", "body", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.ahead = b""
        self.body: BodyReader | None = None
        self._repeated = Repeated()
        self._received = 0  # bytes of the current body
        self._discarded = 0  # bytes read away after its answer
        self._empty_lines = 0  # before the next head

    def hold(self, data: bytes) -> bool:
        """Keep `data` ahead of its turn; whether it is enough for now."""
        self.ahead += data
        return len(self.ahead) > self.limits.max_header_bytes

    def read_head(self, data: bytes) -> tuple[RequestHead | None, bytes | memoryview]:
        """A head, if `data` completes one, and what follows it. Raises BadMessage.

        What follows is a view where it is a long body, and all of it: it need not be copied.
        """
        searched = len(self.ahead)
        if not searched:
            known = self._repeated.read(data, self.limits.max_header_bytes)
            if known is not None:
                self._empty_lines = 0
                return known, b""
        else:
            data, self.ahead = self.ahead + data, b""
        if data.startswith(b"\r"):
            data, searched = self._without_empty_lines(data), 0
        try:
            end = head_end(data, self.limits.max_header_bytes, searched)
        except BadMessage:
            check_beginning(data)  # what begins badly is refused for that, however it is cut
            raise
        if end > 0:
            self._empty_lines = 0
            head = read_request(data, end, self._repeated)
            size = len(data) - end
            if size >= WHOLE and head.length == size:
                return head, memoryview(data)[end:]
            return head, data[end:] if size else b""
        if data:
            check_beginning(data)
            self.ahead = data
        return None, b""

    def _without_empty_lines(self, data: bytes) -> bytes:
        at = 0
        while data.startswith(b"\r\n", at):
            at += 2
            self._empty_lines += 1
            if self._empty_lines > EMPTY_LINES:
                raise BadMessage(400, "too many empty lines before a request")
        return data[at:]

    def begin_body(self, head: RequestHead) -> None:
        """Expect the body that `head` announces; raises BadMessage 413 where it is too large."""
        limit = self.limits.max_body_bytes
        self._received = self._discarded = 0
        if head.length is None:
            self.body = ChunkedReader(400, self.limits.max_header_bytes)
            return
        if head.length > limit > 0:
            raise BadMessage(413, _TOO_LARGE)
        self.body = LengthReader(head.length)

    def read_body(self, body: BodyReader, data: bytes) -> bytes:
        """The piece of the body in `data`. Raises BadMessage.

        What followed it is in `body.rest`, once `body.done`.
        """
        piece = body.feed(data)
        self._received += len(piece)
        if self._received > self.limits.max_body_bytes > 0:
            raise BadMessage(413, _TOO_LARGE)
        if body.done:
            self.body = None
        return piece

    def read_whole(self, size: int) -> None:
        """All of the body, which is so long, came with its head."""
        self._received = size
        self.body = None

    def passed(self, size: int) -> None:
        """So many bytes of the body went to a member by themselves."""
        assert isinstance(self.body, LengthReader)
        self.body.left -= size
        self._received += size

    def discard(self, size: int) -> bool:
        """Count `size` bytes read away; whether that is enough."""
        self._discarded += size
        return self._discarded > DISCARDED and self.body is not None

    def is_worth_reading(self, head: RequestHead) -> bool:
        """Whether the rest of a body is read away after its answer, to keep the connection.

        Not where the visitor waits for 100 (Continue): what it sends next may be the body or
        another request (RFC 9110 §10.1.1).
        """
        if self.body is None:
            return True
        if head.expects_continue and not self._received:
            return False
        return head.length is None or head.length - self._received <= DISCARDED
