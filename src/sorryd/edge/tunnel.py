"""An upgraded connection (RFC 9110 §7.8): bytes both ways, with back-pressure, until one ends.

Two protocols take both transports over from HTTP. A FIN is handed on as a FIN: each direction
ends by itself. Where neither side says anything for `timeout_tunnel`, both are closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from twisted.python.failure import Failure

from sorryd.edge.interfaces import Guest, TunnelEnd, Wire
from sorryd.edge.tally import SiteTally, Tally
from sorryd.edge.wheel import Wheel

CLOSING: Final = 5.0
"""Seconds to send what waits, when a tunnel is closed."""


class Site(Protocol):
    """What a tunnel asks of its site."""

    wheel: Wheel
    stopping: bool
    tally: SiteTally

    def arrived(self, guest: Guest) -> None:
        """It begins."""

    def left(self, guest: Guest) -> None:
        """It has ended."""


Ended = Callable[[int, bool], None]
"""Told how many bytes the visitor got, and whether the tunnel was cut before its ends let go."""


class Tunnel:
    """Two transports joined. `ended` is called once, when both are let go.

    `tally` is the member's. `is_spared` says whether the end of a drain is not for it.
    """

    def __init__(
        self,
        site: Site,
        tally: Tally,
        visitor: Wire,
        member: Wire,
        idle: float,
        ended: Ended,
        is_spared: Callable[[], bool],
    ) -> None:
        self._site = site
        self._tally = tally
        self._idle = idle
        self._ended = ended
        self._open = 2  # transports
        self._closing = self._was_cut = False
        self._is_spared = is_spared
        self.visitor, self.member = self._join(visitor, member)
        self.deadline = site.wheel.now + idle
        site.arrived(self)
        visitor.become(self.visitor)
        member.become(self.member)

    def _join(self, visitor: Wire, member: Wire) -> tuple[End, End]:
        return End(self, visitor, member), End(self, member, visitor)

    def take_over(self, ahead: bytes, ended: bool) -> End:
        """What the visitor sent before the tunnel was one, and whether its FIN was seen.

        Returns the member's end.
        """
        if ahead:
            self.visitor.dataReceived(ahead)
        if ended:
            self.visitor.readConnectionLost()
        return self.member

    def used(self) -> None:
        """Bytes have passed."""
        if not self._closing:
            self.deadline = self._site.wheel.now + self._idle

    def passed(self, end: End, size: int) -> None:
        """Count what came from one end for the other."""
        if end is self.visitor:
            self._site.tally.received += size
        else:
            self._tally.sent += size

    def half_ended(self) -> None:
        """One direction has ended."""
        if self.visitor.ended and self.member.ended:
            self.close()

    def lost(self) -> None:
        """One transport is gone: so is the tunnel."""
        self._open -= 1
        self.close()
        if not self._open:
            self._site.left(self)
            self._ended(self.member.received, self._was_cut)

    def close(self) -> None:
        """Send what waits, within limits, and close both."""
        if not self._closing:
            self._closing = True
            self.deadline = self._site.wheel.now + CLOSING
            self.visitor.transport.loseConnection()
            self.member.transport.loseConnection()

    def timed_out(self) -> None:
        """Nothing was said for too long, or what waits is not taken."""
        if self._closing:
            self._abort()
        else:
            self.close()

    def expire(self) -> bool:
        """See interfaces.Guest."""
        if self._was_cut or self._closing or self._is_spared():
            return False
        self._was_cut = True
        self._cut()
        return True

    def _cut(self) -> None:
        """End it: what passes here may be in the middle of anything."""
        self._abort()

    def _abort(self) -> None:
        self._closing = True
        self.visitor.transport.abortConnection()
        self.member.transport.abortConnection()

    def finish(self) -> None:
        """See interfaces.Guest: a tunnel is in flight as long as it is open."""


class End(TunnelEnd):
    """One end, as the protocol of its transport and the producer of what it is sent."""

    def __init__(self, tunnel: Tunnel, transport: Wire, other: Wire) -> None:
        self._tunnel = tunnel
        self._other = other
        self.transport = transport
        self.ended = False  # its FIN was seen
        self.received = 0  # bytes

    def makeConnection(self, transport: Wire) -> None:
        raise RuntimeError("a tunnel takes over a transport that is connected")

    def handshakeCompleted(self) -> None:
        raise RuntimeError("a tunnel takes over a transport that is connected")

    def dataReceived(self, data: bytes) -> None:
        self._tunnel.used()
        self._give(data)

    def _give(self, data: bytes) -> None:
        self.received += len(data)
        self._tunnel.passed(self, len(data))
        self._other.write(data)

    def readConnectionLost(self) -> None:
        self.ended = True
        self._other.loseWriteConnection()
        self._tunnel.half_ended()

    def connectionLost(self, reason: Failure) -> None:
        self._tunnel.lost()

    def pauseProducing(self) -> None:
        self._other.pauseProducing()

    def resumeProducing(self) -> None:
        self._other.resumeProducing()

    def stopProducing(self) -> None:
        self._tunnel.close()
