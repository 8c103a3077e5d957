"""The line to a visitor: read from or not, and how it ends."""

from __future__ import annotations

from typing import Final

from sorryd.edge.interfaces import Wire

LINGER: Final = 5.0
"""Seconds to read away what a visitor still sends, before its connection is closed."""


class Line:
    """A visitor's transport, with what is known of both its directions.

    `closing`: nothing more is said, or listened to. `ended`: the visitor's FIN was seen.
    `paused`: it is not read from.
    """

    __slots__ = ("closing", "ended", "paused", "transport")

    def __init__(self, transport: Wire) -> None:
        self.transport = transport
        self.closing = False
        self.ended = False
        self.paused = False

    def pause(self) -> None:
        """Read no more for now."""
        if not self.paused:
            self.paused = True
            self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        if self.paused:
            self.paused = False
            if not self.ended:
                self.transport.resumeProducing()

    def linger(self) -> None:
        """All is said: send FIN, and read away what the visitor still sends.

        Closing at once would make the kernel answer that with a reset, which can destroy the
        answer before it is read (RFC 9112 §9.6).
        """
        self.closing = True
        if self.ended:
            self.transport.loseConnection()
        else:
            self.transport.loseWriteConnection()
            self.resume()

    def close(self) -> None:
        """Send what waits, and close."""
        self.closing = True
        self.transport.loseConnection()

    def abort(self) -> None:
        """Close at once, by a reset: what was sent must not be taken for whole."""
        self.closing = True
        self.transport.abortConnection()
