"""Bytes of a connection, taken apart into lines."""

from __future__ import annotations


class LineBuffer:
    """What was received and not taken yet; its length is the number of these bytes."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._searched = 0  # so many of the bytes hold no line's end

    def __len__(self) -> int:
        return len(self._received)

    def put(self, data: bytes) -> None:
        """More was received."""
        self._received += data

    def finish(self) -> None:
        """Nothing more will be: what has no end is a line too."""
        if self._received and self._received[-1:] != b"\n":
            self._received += b"\n"

    def clear(self) -> None:
        """Forget what was received."""
        self._received.clear()
        self._searched = 0

    def take(self) -> bytes | None:
        """The next line that is not blank, without its end; None while there is none."""
        while (end := self._received.find(b"\n", self._searched)) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            self._searched = 0
            if line.strip():
                return line
        self._searched = len(self._received)
        return None
