"""Nobody: the protocol of a transport that has ended."""

from __future__ import annotations

from twisted.python.failure import Failure

from sorryd.edge.interfaces import EdgeProtocol, Wire


class Gone(EdgeProtocol):
    """Hears what may still be said, and does nothing."""

    __slots__ = ()

    def makeConnection(self, transport: Wire) -> None:
        pass

    def dataReceived(self, data: bytes) -> None:
        pass

    def dataPassed(self, size: int) -> None:
        pass

    def handshakeCompleted(self) -> None:
        pass

    def readConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure) -> None:
        pass
