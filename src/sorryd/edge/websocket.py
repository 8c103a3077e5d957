"""A tunnel of WebSocket frames (RFC 6455): it can be closed so that both sides know why.

While it is open, frames are counted and passed on as they came. To part, a Close frame is put
into each direction where a message has ended, and nothing passes behind it; when both sides have
answered by theirs, or `CLOSING` seconds later, FIN follows.
"""

from __future__ import annotations

from sorryd.edge.frames import GOING_AWAY, Frames, close_frame
from sorryd.edge.interfaces import Wire
from sorryd.edge.tunnel import CLOSING, End, Tunnel

REST = b"nothing was said for too long"


class WebSocket(Tunnel):
    """Two transports joined, whose frames are known."""

    is_parting = False
    _ends: tuple[FramedEnd, FramedEnd]  # the visitor's, and the member's

    def _join(self, visitor: Wire, member: Wire) -> tuple[End, End]:
        ends = FramedEnd(self, visitor, member, True), FramedEnd(self, member, visitor, False)
        self._ends = ends
        return ends

    def used(self) -> None:
        """See Tunnel; what passes while we part keeps nothing open."""
        if not self.is_parting:
            super().used()

    def _cut(self) -> None:
        """Part from both, at a boundary of frames; at once where none is known."""
        if self._ends[1].frames.is_lost:
            self._abort()
            return
        self._part(b"" if self._site.stopping else b"maintenance")

    def timed_out(self) -> None:
        """See Tunnel: from who is at rest we part as well."""
        if self._closing or self.is_parting or self._ends[1].frames.is_lost:
            super().timed_out()
        else:
            self._part(REST)

    def _part(self, reason: bytes) -> None:
        self.is_parting = True
        self.deadline = self._site.wheel.now + CLOSING
        for end in self._ends:
            end.reason = reason
            end.tell()
        self.answered()

    def answered(self) -> None:
        """One side may have said its last: close when both have, or when one never will."""
        visitor, member = self._ends
        if (visitor.is_done and member.is_done) or visitor.is_alone or member.is_alone:
            self.close()


class FramedEnd(End):
    """One end. Its Close frame is ours to say to the other one."""

    def __init__(self, tunnel: WebSocket, transport: Wire, other: Wire, is_masked: bool) -> None:
        """`is_masked`: what comes from here is a client's."""
        super().__init__(tunnel, transport, other)
        self._websocket = tunnel
        self.frames = Frames(is_masked)
        self.is_told = False  # nothing passes to the other end any more
        self.reason = b""
        self._is_masked = is_masked

    @property
    def is_done(self) -> bool:
        """Whether nothing is waited for from here."""
        return self.frames.is_closed or self.frames.is_lost or self.ended

    @property
    def is_alone(self) -> bool:
        """Whether it has ended, and the other one will never be told."""
        return self.ended and not self.is_told

    def dataReceived(self, data: bytes) -> None:
        if self._websocket.is_parting:
            self._part(data)
            return
        self._websocket.used()
        self._pass(data)

    def _part(self, data: bytes) -> None:
        """Pass the rest of a message on, and no more; see whether a Close frame is the answer."""
        while data and not self.is_told:
            size = self.frames.rest(data)
            self._pass(data[:size])
            self.tell()
            data = data[size:]
        self.frames.feed(data)
        self._websocket.answered()

    def _pass(self, data: bytes) -> None:
        self.frames.feed(data)
        self._give(data)

    def tell(self) -> None:
        """Say to the other end that we go, if a message has ended here."""
        if self.ended:
            self.is_told = True  # by a FIN, long ago
        elif self.frames.is_between and not self.is_told:
            self.is_told = True
            if not self.frames.is_closed:
                frame = close_frame(self._is_masked, GOING_AWAY, self.reason)
                self._give(frame)
            self.transport.resumeProducing()  # for the answer, whoever does not read

    def readConnectionLost(self) -> None:
        if not self._websocket.is_parting:
            super().readConnectionLost()
            return
        self.ended = True
        self._websocket.answered()
