"""Wires in memory: what the protocols of the edge take for their transports."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sorryd.edge.interfaces import EdgeProtocol, Producer, TunnelEnd, Wire
from sorryd.edge.transport import ABORTED, DONE, HIGH, LOST, LOW


class FakeWire(Wire):
    """A transport by the rules of `SocketTransport`; the test plays the peer and the kernel.

    What a transport does in a later turn of the loop waits for `step`. `bytewise`: what the
    peer says comes byte by byte.
    """

    server_name: bytes | None = None

    def __init__(self, name: str, settle: Callable[[], None], bytewise: bool = False) -> None:
        self.name = name
        self.sent = 0
        self.is_reading = False
        self.is_aborted = False
        self.had_fin = False  # before it was aborted
        self.is_gone = False
        self.is_read_gently = False
        self.poured = 0  # bytes that came straight from another wire
        self._settle = settle
        self._bytewise = bytewise
        self._protocol: EdgeProtocol | None = None
        self._producer: Producer | None = None
        self._incoming: deque[bytes] = deque()
        self._fin_comes = False
        self._output = bytearray()
        self._waiting = bytearray()
        self._is_stalled = False
        self._is_high = False
        self._outlet: FakeWire | None = None
        self._to_pour = 0
        self._half_closing = False
        self._closing = False

    def start(self, protocol: EdgeProtocol) -> None:
        """As SocketTransport.start."""
        self._protocol = protocol
        protocol.makeConnection(self)
        if not self._closing:
            self.is_reading = True

    # --- what the peer does ---

    def says(self, *pieces: bytes) -> None:
        """Send `pieces`, each in its own packet."""
        for data in pieces:
            if self._bytewise:
                self._incoming.extend(data[at : at + 1] for at in range(len(data)))
            else:
                self._incoming.append(data)
        self._settle()

    def says_at_once(self, data: bytes) -> None:
        """Send a lot of `data` in one piece, where its bytes one by one would take too long."""
        self._incoming.append(data)
        self._settle()

    def shakes_hands(self) -> None:
        """Be done with the handshake of TLS."""
        assert self._protocol is not None
        self._protocol.handshakeCompleted()

    def ends(self) -> None:
        """Send FIN."""
        self._fin_comes = True
        self._settle()

    def resets(self) -> None:
        """Send RST."""
        assert self._protocol is not None
        if not self.is_gone:
            self.is_gone = True
            self._protocol.connectionLost(LOST)
        self._settle()

    def leaves(self, how: str) -> None:
        """Send FIN, or RST."""
        if how == "FIN":
            self.ends()
        else:
            self.resets()

    def gets(self) -> bytes:
        """What came since the last look."""
        self._settle()
        data = bytes(self._output)
        self._output.clear()
        return data

    def stops_reading(self) -> None:
        """Take no more of what is sent."""
        self._is_stalled = True

    def reads(self, size: int | None = None) -> None:
        """Take `size` of the bytes that wait; None: all of them, and what comes from now on."""
        size = len(self._waiting) if size is None else size
        self._is_stalled = size < len(self._waiting)
        self._output += self._waiting[:size]
        del self._waiting[:size]
        self.sent += size
        if not (self._waiting and (self._closing or self._half_closing)):
            self._low()
        self._settle()

    def _low(self) -> None:
        if self._is_high and len(self._waiting) < LOW and self._producer is not None:
            self._is_high = False
            self._producer.resumeProducing()

    # --- what the peer finds ---

    @property
    def has_fin(self) -> bool:
        """FIN came, behind all that was sent."""
        return (self._half_closing or self._closing) and not (self._waiting or self.is_aborted)

    @property
    def is_open(self) -> bool:
        """Nothing was done to end the connection."""
        return not (self.is_gone or self._closing or self._half_closing)

    @property
    def waiting(self) -> int:
        """Bytes that the peer did not take yet."""
        return len(self._waiting)

    @property
    def unread(self) -> int:
        """Bytes of the peer that were not taken yet."""
        return sum(map(len, self._incoming))

    # --- the turns of the loop ---

    def step(self) -> bool:
        """Do one thing that waits to be done; whether there was one."""
        protocol = self._protocol
        if self.is_gone or protocol is None:
            return False
        if self.is_aborted or (self._closing and not self._waiting):
            self.is_gone = True
            protocol.connectionLost(ABORTED if self.is_aborted else DONE)
        elif self.is_reading and self._incoming:
            self._deliver(protocol, self._incoming.popleft())
        elif self.is_reading and self._fin_comes:
            self.is_reading = False
            protocol.readConnectionLost()
        else:
            return False
        return True

    def _deliver(self, protocol: EdgeProtocol, data: bytes) -> None:
        outlet = self._outlet
        if outlet is None or not self._to_pour or outlet.waiting or not outlet.is_open:
            self._outlet = None
            protocol.dataReceived(data)
            return
        size = min(len(data), self._to_pour)
        self._to_pour -= size
        if size < len(data):
            self._incoming.appendleft(data[size:])
        protocol.dataPassed(size)
        outlet.poured += size
        outlet.write(data[:size])

    # --- what protocols ask: interfaces.Wire ---

    def pour(self, into: Wire, size: int) -> None:
        assert isinstance(into, FakeWire)
        self._outlet = into
        self._to_pour = size

    def progress(self) -> int:
        return self.sent

    def read_gently(self, gently: bool) -> None:
        self.is_read_gently = gently

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        if self._closing or self.is_gone:
            return
        assert not self._half_closing, "written after FIN"
        if not (self._is_stalled or self._waiting):
            self._output += data
            return
        self._waiting += data
        if len(self._waiting) > HIGH and not self._is_high:
            self._is_high = True
            assert self._producer is not None
            self._producer.pauseProducing()

    def loseConnection(self) -> None:
        self._closing = True
        self.is_reading = False

    def abortConnection(self) -> None:
        if not self.is_gone:
            self.had_fin = self.has_fin
            self._closing = self.is_aborted = True
            self.is_reading = False
            self._waiting.clear()

    def loseWriteConnection(self) -> None:
        self._half_closing = True

    def pauseProducing(self) -> None:
        self.is_reading = False

    def resumeProducing(self) -> None:
        assert not self.is_gone
        self.is_reading = True

    def registerProducer(self, producer: Producer, streaming: bool) -> None:
        assert streaming
        assert self._producer is None
        self._producer = producer

    def become(self, end: TunnelEnd) -> None:
        self._protocol = end
        self._producer = end
        if self._is_high:
            end.pauseProducing()
