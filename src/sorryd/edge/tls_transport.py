"""TLS on the socket itself: pyOpenSSL without memory BIOs between it and the kernel.

The rules of `SocketTransport` hold. What TLS adds: a handshake before the first byte
(`handshakeCompleted` tells the protocol), records that wait inside OpenSSL where no poll can
see them, and an end that is only clean with close_notify (RFC 8446 §6.1): a FIN without it is
a connection lost, so that a cut answer is never taken for a whole one.
"""

from __future__ import annotations

import socket
from typing import Final

from OpenSSL import SSL
from twisted.python.failure import Failure

from sorryd.edge.interfaces import EdgeProtocol
from sorryd.edge.readiness import Readiness
from sorryd.edge.tls import server_name
from sorryd.edge.transport import DONE, LOST, SocketTransport

_RECORD: Final = 16384  # the largest record (RFC 8446 §5.1)
_BATCH: Final = 4  # records read in one turn, so that one fast peer starves nobody


class TlsTransport(SocketTransport):
    """A connected socket with a TLS connection on it, either side.

    `server_name` is what the visitor asked for by SNI, as tls.server_name has it; None before
    the handshake is done.
    """

    __slots__ = ("_established", "_failure", "_write_wants_read", "server_name", "tls")

    def __init__(
        self,
        sock: socket.socket,
        tls: SSL.Connection,
        protocol: EdgeProtocol,
        readiness: Readiness,
    ) -> None:
        super().__init__(sock, protocol, readiness)
        self.tls = tls
        self._established = False
        self._write_wants_read = False
        self._failure = ""
        self.server_name: bytes | None = None

    @property
    def failure(self) -> str:
        """Why the handshake failed, in OpenSSL's words; empty where it did not."""
        return self._failure

    def start(self) -> None:
        super().start()
        if not self._lost and not self._closing:
            self._handshake()

    # --- handshake ---

    def _handshake(self) -> None:
        try:
            self.tls.do_handshake()
        except SSL.WantReadError:
            self._want_write(False)
            return
        except SSL.WantWriteError:
            self._want_write(True)
            return
        except SSL.Error as why:
            self._failure = reason_of(why)
            self._end(LOST)
            return
        self._want_write(False)
        self._established = True
        self.server_name = server_name(self.tls)
        self._protocol.handshakeCompleted()
        # The peer's first data may have come with the end of its handshake.
        if self._reading:
            self._readable()

    def _want_write(self, wanted: bool) -> None:
        if wanted and not self._writing:
            self._writing = True
            self._readiness.watch_write(self._fd, self._writable)
        elif not wanted and self._writing:
            self._writing = False
            self._readiness.unwatch_write(self._fd)

    # --- reading ---

    def _readable(self) -> None:
        if not self._established:
            self._handshake()
            return
        if self._write_wants_read:
            self._write_wants_read = False
            self._writable()
        tls = self.tls
        for _ in range(1 if self._is_gentle else _BATCH):
            try:
                data = tls.recv(_RECORD)
            except (SSL.WantReadError, SSL.WantWriteError):
                return
            except SSL.ZeroReturnError:
                self._close_notified()
                return
            except SSL.Error:
                self._end(LOST)
                return
            self._deliver(data)
            if not self._reading or not tls.pending():
                return
        self._read_pending()

    def _read_pending(self) -> None:
        """Records already inside OpenSSL wake no poll: look again in the next turn."""
        if self.tls.pending():
            self._readiness.soon(self._read_if_reading)

    def _read_if_reading(self) -> None:
        if self._reading:
            self._readable()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self._established:
            self._read_pending()

    def _close_notified(self) -> None:
        """The peer ended its half, and that cleanly; with FIN behind it, it has gone altogether.

        Even then the clean end is told first: it completes a body that ends with its connection.
        """
        self.pauseProducing()
        has_gone = self._has_fin()
        if not self._closing:
            self._protocol.readConnectionLost()
        if has_gone:
            self._end(DONE)
        elif not (self._closing or self._lost):
            self._readiness.watch_read(self._fd, self._after_close_notify)

    def _after_close_notify(self) -> None:
        if self._has_fin():
            self._end(LOST)

    def _has_fin(self) -> bool:
        try:
            while data := self._sock.recv(_RECORD):
                del data  # after close_notify nothing counts (RFC 8446 §6.1)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            pass
        return True

    # --- writing ---

    def write(self, data: bytes) -> None:
        if self._closing or self._lost or self._write_broken:
            return
        if self._queue:
            self._enqueue(memoryview(data))
            return
        taken = self._push(data)
        if taken < 0:
            self._break_write()
        elif taken != len(data):
            self._enqueue(memoryview(data)[taken:])

    def _push(self, data: bytes | memoryview) -> int:
        """Give OpenSSL what it takes of `data`: a record at a time. -1: the peer is gone."""
        size = len(data)
        done = 0
        while done < size:
            try:
                done += self.tls.send(data if not done else memoryview(data)[done:])
            except SSL.WantWriteError:
                break
            except SSL.WantReadError:
                self._write_wants_read = True
                break
            except SSL.Error:
                return -1
        return done

    def _writable(self) -> None:
        if not self._established:
            self._handshake()
            return
        while self._queue and not self._lost:
            first = self._queue[0]
            taken = self._push(first)
            if taken < 0:
                self._break_write()
                return
            whole = taken == len(first)
            self._take(taken)
            if not whole:
                return
        if self._writing and not self._queue:
            self._flushed()  # close_notify had to wait

    def _read_last(self) -> None:
        while not self._lost:
            try:
                data = self.tls.recv(_RECORD)
            except SSL.Error:
                break
            self._deliver(data)
        self._end(LOST)

    # --- closing ---

    def _flushed(self) -> None:
        if self._established:
            if not self._notify_close():
                return
            if not self._closing:
                self._write_broken = True
                return  # our half is closed by that; FIN would say that we are gone
        super()._flushed()

    def _notify_close(self) -> bool:
        """Send close_notify; False: the kernel is full, and it goes when that is not so."""
        try:
            self.tls.shutdown()
        except SSL.WantWriteError:
            self._want_write(True)
            return False
        except SSL.Error:
            pass  # it is a courtesy to a peer that may be gone
        self._want_write(False)
        return True

    def _end(self, reason: Failure) -> None:
        if self._established and not self._lost:
            # OpenSSL would resume no session of a connection that we end without close_notify;
            # RFC 8446 has no such rule. After a fatal alert it has forgotten it already.
            self.tls.set_shutdown(self.tls.get_shutdown() | SSL.SENT_SHUTDOWN)
        super()._end(reason)


def reason_of(why: SSL.Error) -> str:
    """An OpenSSL error in its own words, without its codes."""
    errors = why.args[0] if why.args else ()
    if isinstance(errors, list | tuple) and errors:
        last = errors[-1]
        return str(last[-1]) if isinstance(last, tuple) else str(last)
    return str(why.args[-1]) if why.args else type(why).__name__
