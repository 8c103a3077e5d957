"""An answer that is a file: read piece by piece as the visitor takes it.

To the visitor's connection it is what an exchange is. A piece is read in a turn of the loop, so
that other visitors have theirs; a file of any size costs one piece of memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from sorryd.edge.access import End
from sorryd.edge.asset_files import Opened, open_below
from sorryd.edge.interfaces import Visitor
from sorryd.policy.answers import Answer, refused
from sorryd.policy.assets import not_allowed, served
from sorryd.policy.heads import RequestHead
from sorryd.policy.reception import ServeAsset

PIECE: Final = 131072
"""Bytes of a file that are read at once."""

_WHY: Final = {
    HTTPStatus.NOT_FOUND: "there is no such file",
    HTTPStatus.FORBIDDEN: "the file can't be read",
    HTTPStatus.SERVICE_UNAVAILABLE: "the file can't be read now",
}


class AssetAnswer:
    """From a request for a file to the end of its answer. `start` begins it."""

    __slots__ = (
        "_at", "_descriptor", "_head", "_is_due", "_is_held", "_left", "_now", "_record", "_soon",
        "_visitor", "framed", "started",
    )  # fmt: skip

    def __init__(
        self,
        visitor: Visitor,
        head: RequestHead,
        now: float,
        soon: Callable[[Callable[[], None]], None],
    ) -> None:
        """`soon` calls after what is being done now."""
        self._visitor, self._record = visitor, visitor.record
        self._head = head
        self._now = now
        self._soon = soon
        self._descriptor = -1
        self._at = self._left = 0
        self._is_held = self._is_due = False
        self.started = self.framed = True  # it is never too late for a cut

    def start(self, asset: ServeAsset) -> None:
        """Find the file, and send the head and the first piece in one write."""
        head = self._head
        answer = self._answer(asset)
        data = answer.head(self._now, self._visitor.connection_field(True)) + answer.body
        self._visitor.code_class = answer.status // 100
        if self._record is not None:
            self._record.begin_answer(answer.status, len(answer.body))
        if head.method == b"GET" and answer.length:
            self._at, self._left = answer.start, answer.length
            self._send(data)
            return
        self._close()
        self._give(data)
        self._visitor.answered()

    def _answer(self, asset: ServeAsset) -> Answer:
        head = self._head
        if head.method not in (b"GET", b"HEAD"):
            return not_allowed()
        found: Opened | HTTPStatus = HTTPStatus.NOT_FOUND
        if asset.path is not None:
            found = open_below(asset.folder, asset.path)
        if isinstance(found, HTTPStatus):
            return refused(found, _WHY[found], head.method == b"HEAD")
        self._descriptor = found.descriptor
        assert asset.path is not None
        return served(head, asset.path, found.file, self._now)

    def _send(self, before: bytes = b"") -> None:
        """Send the next piece, behind `before`."""
        piece = self._read()
        if not piece:
            # It became shorter, or the disk fails: what was promised can't be sent.
            self._close()
            if before:
                self._give(before)
            self._visitor.cut(self.framed, End.ASSET_CUT)
            return
        self._at += len(piece)
        self._left -= len(piece)
        if self._record is not None:
            self._record.body_bytes += len(piece)
        done = not self._left
        if done:
            self._close()
        self._give(before + piece)
        if done:
            self._visitor.answered()
        else:
            self._go_on()

    def _give(self, data: bytes) -> None:
        self._visitor.tally.sent += len(data)
        self._visitor.send(data)

    def _read(self) -> bytes:
        try:
            return os.pread(self._descriptor, min(PIECE, self._left), self._at)
        except OSError:
            return b""

    def _go_on(self) -> None:
        """Send more in the next turn, where the visitor takes it."""
        if not (self._is_held or self._is_due or self._descriptor < 0):
            self._is_due = True
            self._soon(self._next)

    def _next(self) -> None:
        self._is_due = False
        if not (self._is_held or self._descriptor < 0):
            self._send()

    # --- what the visitor's connection asks: see interfaces.Answering ---

    def request_body(self, piece: bytes, done: bool, trailers: bytes = b"") -> None:
        """Nobody wants it."""

    def inlet(self) -> None:
        """See interfaces.Answering: nobody wants it."""

    def pause_answer(self) -> None:
        """The visitor does not take what is sent."""
        self._is_held = True

    def resume_answer(self) -> None:
        """It does again."""
        self._is_held = False
        self._go_on()

    def cancel(self) -> None:
        """The visitor has gone, or its time is over."""
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
