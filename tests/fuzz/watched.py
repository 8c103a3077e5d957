"""What sorryd believes that it read from a visitor, told by its own reader."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from unittest import mock

from sorryd.edge import speaking
from sorryd.edge.bad_message import BadMessage
from sorryd.edge.bodies import BodyReader
from sorryd.edge.requests import Limits, RequestReader
from sorryd.policy.heads import RequestHead


class Believed:
    """A request as sorryd read it; `raw` is what it was read from."""

    def __init__(self, head: RequestHead, raw: bytes) -> None:
        self.method = head.method
        self.target = head.target
        self.minor = head.minor
        self.upgrade = head.upgrade
        self.last = not head.keep_alive
        self.raw = raw
        self.body = b""
        self.trailers = b""
        self.whole = not head.has_body


class Notes:
    """The requests of one visitor, in their order. `refused`: a body was, or a head."""

    def __init__(self) -> None:
        self.requests: list[Believed] = []
        self.refused: BadMessage | None = None

    def clear(self) -> None:
        self.requests = []
        self.refused = None


class WatchedReader(RequestReader):
    """Takes notes."""

    __slots__ = ("_notes",)

    def __init__(self, notes: Notes, limits: Limits) -> None:
        super().__init__(limits)
        self._notes = notes

    def read_head(self, data: bytes) -> tuple[RequestHead | None, bytes | memoryview]:
        whole = self.ahead + data
        try:
            head, rest = super().read_head(data)
        except BadMessage as why:
            self._notes.refused = why
            raise
        if head is not None:
            raw = whole[: len(whole) - len(rest)]
            while raw.startswith(b"\r\n"):
                raw = raw[2:]
            self._notes.requests.append(Believed(head, raw))
        return head, rest

    def read_body(self, body: BodyReader, data: bytes) -> bytes:
        try:
            piece = super().read_body(body, data)
        except BadMessage as why:
            self._notes.refused = why
            raise
        request = self._notes.requests[-1]
        request.raw += data[: len(data) - len(body.rest)]
        request.body += piece
        if body.done:
            request.whole = True
            request.trailers = body.trailers
        return piece


@contextlib.contextmanager
def watching(notes: Notes) -> Iterator[None]:
    """Visitors' connections that begin meanwhile are watched."""
    with mock.patch.object(speaking, "RequestReader", functools.partial(WatchedReader, notes)):
        yield
