"""What members answer again and again: heads that were read once for all.

Within a second, servers send the same head byte for byte to all who ask for the same, and servers
of one kind send the same as each other.
"""

from __future__ import annotations

from typing import Final

from sorryd.edge.http1 import check_answer_beginning, head_end, read_response
from sorryd.policy.heads import ResponseHead
from sorryd.policy.keeping import keep

LONGEST: Final = 2048
"""Bytes of a head that is kept, at most."""

MOST: Final = 512
"""Heads that are kept for all members."""

_heads: Final[dict[bytes, ResponseHead]] = {}


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
        if bodiless or end > LONGEST:
            return read_response(data, end, bodiless)
        return self._read_whole(data[:end])

    def _read_whole(self, block: bytes) -> ResponseHead:
        """A head that is another than the last one: of a member like this one, or a new one."""
        head = _heads.get(block)
        if head is None:
            head = read_response(block, len(block), False)
            if not _may_be_shared(head):
                return head
            head.is_shared = True
            keep(_heads, MOST, block, head)
        self._known, self._head = block, head
        return head


def known_heads() -> int:
    """How many heads are kept."""
    return len(_heads)


def _may_be_shared(head: ResponseHead) -> bool:
    """Whether all that is done with the head is to be passed on."""
    return head.status >= 200 and head.upgrade is None and head.located is None
