"""Visitors over `max_connections`: told so, in a way that they live to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.python.failure import Failure

from sorryd.edge.interfaces import Wire
from sorryd.edge.line import Line
from sorryd.edge.refusals import refusal
from sorryd.edge.wheel import Patience

MOST: Final = 256
"""Visitors of one process that are turned away in this way at once; more are cut off."""

FULL: Final = refusal(503, "too many connections", False)


class TurnedAway(Line):
    """One of them: 503 at once, or after the handshake; FIN; and its request read away.

    `gone` is told when its connection has ended.
    """

    __slots__ = ("_gone", "_tls")

    def __init__(self, patience: Patience, tls: bool, gone: Callable[[TurnedAway], None]) -> None:
        super().__init__(patience)
        self._tls = tls
        self._gone = gone

    def makeConnection(self, transport: Wire) -> None:
        self._open(transport)
        self._patience.wheel.add(self)
        if not self._tls:
            self._refuse()

    def handshakeCompleted(self) -> None:
        self._refuse()

    def _refuse(self) -> None:
        self.send(FULL)
        self._linger()

    def dataReceived(self, data: bytes) -> None:
        pass  # nobody reads what it wants

    def readConnectionLost(self) -> None:
        self._ended = True
        self.close()

    def connectionLost(self, reason: Failure) -> None:
        self._patience.wheel.discard(self)
        self._gone(self)

    def timed_out(self) -> None:
        """See wheel.Timed: no handshake, or no end of what it sends."""
        self.drop()

    def drop(self) -> None:
        """Wait no longer."""
        self._abort()
