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

    visitor: FramedEnd
    member: FramedEnd
    is_parting = False

    def _join(self, visitor: Wire, member: Wire) -> tuple[FramedEnd, FramedEnd]:
        return FramedEnd(self, visitor, member, True), FramedEnd(self, member, visitor, False)

    def used(self) -> None:
        """See Tunnel; what passes while we part keeps nothing open."""
        if not self.is_parting:
            super().used()

    def _cut(self) -> None:
        """Part from both, at a boundary of frames; at once where none is known."""
        if self.member.frames.is_lost:
            self._abort()
            return
        self._part(b"" if self._site.stopping else b"maintenance")

    def timed_out(self) -> None:
        """See Tunnel: from who is at rest we part as well."""
        if self._closing or self.is_parting or self.member.frames.is_lost:
            super().timed_out()
        else:
            self._part(REST)

    def _part(self, reason: bytes) -> None:
        self.is_parting = True
        self.deadline = self._site.wheel.now + CLOSING
        for end in (self.visitor, self.member):
            end.reason = reason
            end.tell()
        self.answered()

    def answered(self) -> None:
        """One side may have said its last: close when both have, or when one never will."""
        ends = (self.visitor, self.member)
        if all(end.is_done for end in ends) or any(end.ended and not end.is_told for end in ends):
            self.close()


class FramedEnd(End):
    """One end. Its Close frame is ours to say to the other one."""

    _tunnel: WebSocket

    def __init__(self, tunnel: WebSocket, transport: Wire, other: Wire, is_masked: bool) -> None:
        """`is_masked`: what comes from here is a client's."""
        super().__init__(tunnel, transport, other)
        self.frames = Frames(is_masked)
        self.is_told = False  # nothing passes to the other end any more
        self.reason = b""
        self._is_masked = is_masked

    @property
    def is_done(self) -> bool:
        """Whether nothing is waited for from here."""
        return self.frames.is_closed or self.frames.is_lost or self.ended

    def dataReceived(self, data: bytes) -> None:
        if self._tunnel.is_parting:
            self._part(data)
            return
        self._tunnel.used()
        self._pass(data)

    def _part(self, data: bytes) -> None:
        """Pass the rest of a message on, and no more; see whether a Close frame is the answer."""
        while data and not self.is_told:
            size = self.frames.rest(data)
            self._pass(data[:size])
            self.tell()
            data = data[size:]
        self.frames.feed(data)
        self._tunnel.answered()

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
        if not self._tunnel.is_parting:
            super().readConnectionLost()
            return
        self.ended = True
        self._tunnel.answered()
