"""A plain socket as a transport, which can be poured into another one.

Of a long body the bytes are nobody's business: they go from socket to socket within the kernel,
and the protocol is told how many have passed. Whatever is not as usual goes the usual way, byte
for byte: bytes that wait already, an end, an error.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Final

from sorryd.edge.interfaces import EdgeProtocol, TunnelEnd, Wire
from sorryd.edge.kernel import Socket
from sorryd.edge.readiness import Readiness
from sorryd.edge.splicing import Pipe
from sorryd.edge.transport import GATHER, LOST, SocketTransport

_MUCH: Final = 16384  # bytes that are not joined: for less, that takes less time

_pipe: Final = Pipe()


class PlainTransport(SocketTransport):
    """A connected socket without TLS."""

    __slots__ = ("_outlet", "_to_pour")

    def __init__(self, sock: Socket, protocol: EdgeProtocol, readiness: Readiness) -> None:
        super().__init__(sock, protocol, readiness)
        self._outlet: PlainTransport | None = None
        self._to_pour = 0

    def writeSequence(self, pieces: Sequence[bytes | memoryview]) -> None:
        size = sum([len(piece) for piece in pieces])
        if size < _MUCH or len(pieces) > GATHER or not self.is_free:
            super().writeSequence(pieces)
            return
        try:
            taken = self._sock.sendmsg(pieces)
        except (BlockingIOError, InterruptedError):
            taken = 0
        except OSError:
            self._break_write()
            return
        if taken != size:
            self._enqueue(memoryview(b"".join(pieces))[taken:])

    def pour(self, into: Wire, size: int) -> None:
        """See interfaces.Wire."""
        if isinstance(into, PlainTransport) and _pipe.is_open():
            self._outlet = into
            self._to_pour = size

    def _readable(self) -> None:
        outlet = self._outlet
        if outlet is None or not self._pour(outlet):
            super()._readable()

    def _pour(self, outlet: PlainTransport) -> bool:
        """Move what is here; False: what is to be read must be read as usual."""
        if not outlet.is_free or not self._to_pour:
            self._outlet = None
            return False
        try:
            size = _pipe.fill(self._fd, self._to_pour)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError as why:
            if why.errno != errno.EINVAL:
                self._end(LOST)
                return True
            size = 0  # of such a socket it can't be done
        if not size:
            self._outlet = None
            return False
        self._to_pour -= size
        try:
            self._protocol.dataPassed(size)
        except Exception:
            self._drop_for_bug()
        outlet.take_from(_pipe, size)
        return True

    @property
    def is_free(self) -> bool:
        """Whether what is written goes to the kernel at once."""
        return not (self._queue or self._closing or self._lost or self._write_broken)

    def take_from(self, pipe: Pipe, size: int) -> None:
        """Write the `size` bytes in `pipe`."""
        if not self.is_free:
            pipe.drain(size)  # for nobody
            return
        try:
            taken = pipe.pour(self._fd, size)
        except OSError:
            pipe.drain(size)
            self._break_write()
            return
        if taken != size:
            self._enqueue(memoryview(pipe.drain(size - taken)))

    def become(self, end: TunnelEnd) -> None:
        self._outlet = None
        super().become(end)

    def _drop_queue(self) -> None:
        self._outlet = None
        super()._drop_queue()
