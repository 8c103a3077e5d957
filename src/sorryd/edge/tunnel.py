"""An upgraded connection (RFC 9110 §7.8): bytes both ways, with back-pressure, until one ends.

A FIN is handed on as a FIN: each direction ends by itself. Where neither side says anything
for `timeout_tunnel`, both are closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sorryd.edge.transport import Wire
from sorryd.edge.wheel import Wheel


class End(Protocol):
    """A connection that became one end of a tunnel."""

    transport: Wire

    def close(self) -> None:
        """Send what waits, within limits, and close."""


class Tunnel:
    """Two connections joined. `on_end` is called once, when both are let go."""

    def __init__(self, visitor: End, member: End, wheel: Wheel, idle: float) -> None:
        self._ends = (visitor, member)
        self._visitor = visitor.transport
        self._member = member.transport
        self._wheel = wheel
        self._idle = idle
        self._over = False
        self._visitor_done = False
        self._member_done = False
        self.on_end: Callable[[], None] = lambda: None
        self.deadline = wheel.now + idle
        wheel.add(self)

    def from_member(self, data: bytes) -> None:
        """Bytes for the visitor."""
        self.deadline = self._wheel.now + self._idle
        self._visitor.write(data)

    def from_visitor(self, data: bytes) -> None:
        """Bytes for the member."""
        self.deadline = self._wheel.now + self._idle
        self._member.write(data)

    def member_ended(self) -> None:
        """The member's FIN."""
        self._member_done = True
        self._visitor.loseWriteConnection()
        self._end_if_done()

    def visitor_ended(self) -> None:
        """The visitor's FIN."""
        self._visitor_done = True
        self._member.loseWriteConnection()
        self._end_if_done()

    def member_gone(self) -> None:
        """The member's connection is no more."""
        self._end()

    def visitor_gone(self) -> None:
        """The visitor's connection is no more."""
        self._end()

    def timed_out(self) -> None:
        """Neither side said anything for too long."""
        self._end()

    def pause_visitor(self) -> None:
        """The member does not keep up."""
        self._visitor.pauseProducing()

    def resume_visitor(self) -> None:
        """It does again."""
        if not self._visitor_done:
            self._visitor.resumeProducing()

    def pause_member(self) -> None:
        """The visitor does not keep up."""
        self._member.pauseProducing()

    def resume_member(self) -> None:
        """It does again."""
        if not self._member_done:
            self._member.resumeProducing()

    def _end_if_done(self) -> None:
        if self._visitor_done and self._member_done:
            self._end()

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        self._wheel.discard(self)
        for end in self._ends:
            end.close()
        self.on_end()
