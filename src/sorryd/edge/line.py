"""The line to a visitor: read from or not, how long it is waited for, and how it ends."""

from __future__ import annotations

from typing import Final

from sorryd.edge.interfaces import Visitor, Wire
from sorryd.edge.wheel import NEVER, Patience

LINGER: Final = 5.0
"""Seconds to read away what a visitor still sends, before its connection is closed."""


class Line(Visitor):
    """A visitor's transport, with what is known of both its directions, and a deadline.

    What is said on it is for the class that is built on it: client.py.
    """

    __slots__ = (
        "_blocked", "_closing", "_ended", "_patience", "_paused", "_sent", "deadline", "transport",
    )  # fmt: skip

    transport: Wire

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.deadline = NEVER
        self._closing = False  # nothing more is said, or listened to
        self._ended = False  # the visitor's FIN was seen
        self._blocked = False  # the visitor does not take what is sent
        self._paused = False  # the visitor is not read from
        self._sent = 0

    def send(self, data: bytes) -> None:
        """See interfaces.Visitor."""
        self.transport.write(data)

    def _open(self, transport: Wire) -> None:
        self.transport = transport
        self._wait(self._patience.timeouts.header)

    def handshakeCompleted(self) -> None:
        self._wait(self._patience.timeouts.header)

    def _wait(self, seconds: float) -> None:
        self.deadline = self._patience.wheel.now + seconds

    def _has_read_on(self) -> bool:
        """Whether the visitor took some of what waited since this was asked last."""
        before, self._sent = self._sent, self.transport.progress()
        return self._sent != before

    def _pause(self) -> None:
        """Read no more for now."""
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def _resume(self) -> None:
        """Read on."""
        if self._paused:
            self._paused = False
            if not self._ended:
                self.transport.resumeProducing()

    def _linger(self) -> None:
        """All is said: send FIN, and read away what the visitor still sends.

        Closing at once would make the kernel answer that with a reset, which can destroy the
        answer before it is read (RFC 9112 §9.6).
        """
        self._closing = True
        self._wait(self._patience.timeouts.body if self._blocked else LINGER)
        if self._ended:
            self.transport.loseConnection()
        else:
            self.transport.loseWriteConnection()
            self._resume()

    def close(self) -> None:
        """Send what waits, within limits, and close."""
        self._closing = True
        self._wait(self._patience.timeouts.body)
        self.transport.loseConnection()

    def stopProducing(self) -> None:
        self.close()

    def _abort(self) -> None:
        """Close at once, by a reset: what was sent must not be taken for whole."""
        self._closing = True
        self.transport.abortConnection()
