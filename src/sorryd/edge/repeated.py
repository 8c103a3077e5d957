"""Heads that visitors send again and again on one connection: read once for all.

Browsers, load balancers and scripts repeat their field lines byte for byte; the target alone is
another one. To read them is most of the work for an apology, and a good part of that for what a
member answers.
"""

from __future__ import annotations

from typing import Final

from sorryd.edge.heads import RequestHead

LONGEST: Final = 2048
"""Bytes of field lines that are kept for each connection, at most."""

_SLASH: Final = 0x2F


class Repeated:
    """What a visitor says again and again: the field lines of its last head, read once for all.

    Clients that keep a connection say on it mostly what they said before. One that does so for a
    second time is believed to go on with it.
    """

    __slots__ = ("_head", "block")

    def __init__(self) -> None:
        self.block = b""
        """All field lines of the last head; empty where they are not kept."""
        self._head: RequestHead | None = None

    def read(self, method: bytes, target: bytes, minor: bytes) -> RequestHead | None:
        """The head with the same field lines, where it is known already."""
        head = self._head
        if head is None or method != head.method or target[0] != _SLASH or head.minor != int(minor):
            return None
        return head.again(target)

    def change(self, block: bytes) -> None:
        """It says something else now."""
        self.block = block if len(block) <= LONGEST else b""
        self._head = None

    def keep(self, head: RequestHead) -> None:
        """`head` was read from the same field lines again, and is as it was read."""
        if head.target[0] == _SLASH and not head.has_body:
            head.block = self.block
            self._head = head.again(head.target)
