"""A non-blocking socket as a Twisted transport: lean, and without a copy where none is needed.

It writes at once and waits for writability only when the kernel is full; what the kernel did
not take is kept as views on the pieces given. Back-pressure is Twisted's own: a registered
producer is paused while more than `HIGH` bytes wait, and resumed below `LOW`. The TLS kind is
in tls_transport.py.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from typing import Final

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.edge.addresses import Address, address_of
from sorryd.edge.gone import Gone
from sorryd.edge.interfaces import EdgeProtocol, Producer, TunnelEnd, Wire
from sorryd.edge.kernel import Socket, read_away, reset_on_close, unacknowledged
from sorryd.edge.readiness import Readiness

log = Logger(namespace=__name__)

HIGH: Final = 65536  # bytes waiting: pause who produces them
LOW: Final = 16384
READ: Final = 73728  # bytes asked for at once: 64 KiB, which many write at once, and a head
READ_GENTLE: Final = 8192
READ_BULK: Final = 262144  # ... once a read came back full
GATHER: Final = 64  # pieces handed to one sendmsg
_LAST_READS: Final = 64  # reads after a failed write
_gone: Final = Gone()
_NOTHING: Final[deque[memoryview]] = deque()  # all queues that are empty: each took 0.6 KiB

DONE: Final = Failure(ConnectionDone())
LOST: Final = Failure(ConnectionLost())
ABORTED: Final = Failure(ConnectionAborted())


class SocketTransport(Wire):
    """A connected TCP socket, its own: closed when `connectionLost` has been called."""

    __slots__ = (
        "_closing", "_fd", "_half_closing", "_high", "_is_gentle", "_lost", "_producer",
        "_protocol", "_queue", "_queued", "_read_size", "_readiness", "_reading", "_sock",
        "_write_broken", "_writing",
    )  # fmt: skip
    server_name: bytes | None = None  # by SNI, where there is TLS

    def __init__(self, sock: Socket, protocol: EdgeProtocol, readiness: Readiness) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._protocol, self._readiness = protocol, readiness
        self._queue = _NOTHING
        self._queued = 0
        self._read_size = READ
        self._reading = self._writing = False
        self._closing = False  # close once the queue is empty
        self._half_closing = False  # ... our half
        self._high = False  # the producer is paused
        self._lost = self._write_broken = self._is_gentle = False
        self._producer: Producer | None = None
        self.sent = 0  # bytes that the kernel took late: progress of a slow reader

    def start(self) -> None:
        """Hand the connection to the protocol and begin to read."""
        self._protocol.makeConnection(self)
        if not self._lost and not self._closing:
            self.resumeProducing()

    def progress(self) -> int:
        """Changes as the peer takes what waits for it, in our queue or in the kernel's."""
        return self.sent - unacknowledged(self._fd)

    # --- reading ---

    def read_gently(self, gently: bool) -> None:
        """Read little at once, where much work may come of it, so that others have their turn."""
        self._is_gentle = gently
        self._read_size = READ_GENTLE if gently else READ

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, self._read_size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._end(LOST)
            return
        if not data:
            self._eof()
            return
        if not self._is_gentle:
            self._read_size = READ_BULK if len(data) >= READ else READ
        self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        try:
            self._protocol.dataReceived(data)
        except Exception:
            self._drop_for_bug()

    def _drop_for_bug(self) -> None:
        log.failure("a bug in the data path; the connection is dropped")
        self.abortConnection()

    def _eof(self) -> None:
        """The peer's FIN. Who asked for data may still be owed an answer."""
        self.pauseProducing()
        if self._closing and not self._queue:
            self._end(DONE)
            return
        self._protocol.readConnectionLost()
        if not (self._closing or self._half_closing or self._lost):
            self._readiness.watch_failure(self._fd, lambda: self._end(LOST))

    def pauseProducing(self) -> None:
        if self._reading:
            self._reading = False
            self._readiness.unwatch_read(self._fd)

    def resumeProducing(self) -> None:
        if not (self._reading or self._closing or self._lost):
            self._reading = True
            self._readiness.watch_read(self._fd, self._readable)

    def stopProducing(self) -> None:
        self.loseConnection()

    # --- writing ---

    def write(self, data: bytes) -> None:
        if self._queue or self._closing or self._lost or self._write_broken:
            if not (self._closing or self._lost or self._write_broken):
                self._enqueue(memoryview(data))
            return
        try:
            taken = os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            taken = 0
        except OSError:
            self._break_write()
            return
        if taken != len(data):
            self._enqueue(memoryview(data)[taken:])

    def _enqueue(self, view: memoryview) -> None:
        if self._queue is _NOTHING:
            self._queue = deque()
        self._queue.append(view)
        self._queued += len(view)
        if not self._writing:
            self._writing = True
            self._readiness.watch_write(self._fd, self._writable)
        if self._queued > HIGH and not self._high:
            self._high = True
            if self._producer is not None:
                self._producer.pauseProducing()

    def _writable(self) -> None:
        try:
            taken = self._sock.sendmsg(list(self._queue)[:GATHER])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._break_write()
            return
        self._take(taken)

    def _take(self, taken: int) -> None:
        """Forget `taken` bytes of the queue; go on with what waited for that."""
        self.sent += taken
        self._queued -= taken
        queue = self._queue
        while taken:
            first = queue[0]
            if taken < len(first):
                queue[0] = first[taken:]
                break
            taken -= len(first)
            queue.popleft()
        if not queue:
            self._writing = False
            self._readiness.unwatch_write(self._fd)
            if self._closing or self._half_closing:
                self._flushed()
                return
        if self._high and self._queued < LOW:
            self._high = False
            if self._producer is not None:
                self._producer.resumeProducing()

    def _break_write(self) -> None:
        """A write failed: the peer is gone, but an early answer may still wait to be read."""
        self._write_broken = True
        self._drop_queue()
        self._readiness.soon(self._read_last)

    def _read_last(self) -> None:
        for _ in range(_LAST_READS):
            if self._lost:
                return
            try:
                data = self._sock.recv(READ)
            except OSError:
                break
            if not data:
                break
            self._deliver(data)
        self._end(LOST)

    def _drop_queue(self) -> None:
        self._queue = _NOTHING
        self._queued = 0
        if self._writing:
            self._writing = False
            self._readiness.unwatch_write(self._fd)

    def registerProducer(self, producer: Producer, streaming: bool) -> None:
        """Only push producers, and one for the life of the connection."""
        if self._producer is not None or not streaming:
            raise RuntimeError("one streaming producer per connection")
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def become(self, end: TunnelEnd) -> None:
        """Speak another protocol from now on, which is the producer, too."""
        self._protocol = self._producer = end
        if self._high:
            end.pauseProducing()

    # --- closing ---

    def loseWriteConnection(self) -> None:
        """Send what waits, then FIN; the peer may go on sending."""
        if not (self._closing or self._half_closing or self._lost):
            self._half_closing = True
            if not self._queue:
                self._flushed()

    def loseConnection(self) -> None:
        """Send what waits, then close."""
        if not (self._closing or self._lost):
            self._closing = True
            self.pauseProducing() if self._queue else self._flushed()

    def _flushed(self) -> None:
        if self._closing:
            self._leave()
            self._readiness.soon(self._closed)
            return
        self._write_broken = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as why:
            if why.errno != errno.ENOTCONN:
                self._break_write()

    def _closed(self) -> None:
        read_away(self._sock)
        self._end(DONE)

    def abortConnection(self) -> None:
        """Drop all, and reset the connection."""
        if self._lost:
            return
        self._closing = True
        self._leave()
        self._drop_queue()
        reset_on_close(self._sock)
        self._readiness.soon(lambda: self._end(ABORTED))

    def _end(self, reason: Failure) -> None:
        if self._lost:
            return
        self._lost = True
        self._leave()
        self._drop_queue()
        self._fd = -1  # the number may be another connection's from now on
        self._sock.close()
        # Nothing is left that holds what holds it: none waits for the collector.
        protocol, self._protocol, self._producer = self._protocol, _gone, None
        protocol.connectionLost(reason)

    def _leave(self) -> None:
        """Hear no more of the socket, which is closed in this turn."""
        self._reading = self._writing = False
        self._readiness.leave(self._fd)

    def getPeer(self) -> Address:
        return address_of(self._sock.getpeername())

    def getHost(self) -> Address:
        return address_of(self._sock.getsockname())
