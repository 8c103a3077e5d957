"""What a member answers again and again: the head of its last answer, read once for all.

Within a second, servers send the same head byte for byte to all who ask for the same.
"""

from __future__ import annotations

from typing import Final

from sorryd.edge.http1 import check_answer_beginning, head_end, read_response
from sorryd.policy.heads import ResponseHead

LONGEST: Final = 2048
"""Bytes of a head that is kept, at most."""


class AnswerReader:
    """Reads the heads of one member's answers, on whichever connection they come."""

    __slots__ = ("_head", "_known", "limit")

    def __init__(self, limit: int) -> None:
        """`limit` is that of a head, in bytes."""
        self.limit = limit
        self._known = b""
        self._head: ResponseHead | None = None

    def read(self, data: bytes, bodiless: bool, searched: int = 0) -> ResponseHead | None:
        """The head that `data` begins with, or None while it is incomplete.

        `searched` bytes were looked at before; `bodiless`: it answers HEAD. Raises BadMessage for
        what can't be trusted.
        """
        known = self._head
        if (
            not bodiless
            and known is not None
            and data.startswith(self._known)
            and known.size <= self.limit  # which another configuration may have lowered
        ):
            return known
        end = head_end(data, self.limit, searched)
        if end < 0:
            check_answer_beginning(data)
            return None
        head = read_response(data, end, bodiless)
        if not bodiless and end <= LONGEST and _may_be_shared(head):
            head.is_shared = True
            self._known, self._head = data[:end], head
        return head


def _may_be_shared(head: ResponseHead) -> bool:
    """Whether all that is done with the head is to be passed on."""
    return head.status >= 200 and head.upgrade is None and head.located is None
