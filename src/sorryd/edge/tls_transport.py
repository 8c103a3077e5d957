"""TLS on the socket itself: pyOpenSSL without memory BIOs between it and the kernel.

The rules of `SocketTransport` hold. What TLS adds: a handshake before the first byte
(`handshakeCompleted` tells the protocol), records that are read one by one, and an end that is
only clean with close_notify (RFC 8446 §6.1): a FIN without it is a connection lost, so that a
cut answer is never taken for a whole one.
"""

from __future__ import annotations

from typing import Final

from OpenSSL import SSL
from twisted.python.failure import Failure

from sorryd.edge.interfaces import EdgeProtocol
from sorryd.edge.kernel import Socket
from sorryd.edge.openssl import CALLS, ENDED, RECORD, SHAKEN, WANT_READ, WANT_WRITE
from sorryd.edge.readiness import Readiness
from sorryd.edge.tls import server_name
from sorryd.edge.transport import DONE, LOST, SocketTransport

_BATCH: Final = 4  # whole records read in one turn, so that one fast peer starves nobody


class TlsTransport(SocketTransport):
    """A connected socket with a TLS connection on it, either side.

    `server_name` is what the visitor asked for by SNI, as tls.server_name has it; None before
    the handshake is done.
    """

    __slots__ = ("_established", "_failure", "_handle", "_write_wants_read", "server_name", "tls")
    calls = CALLS

    def __init__(
        self,
        sock: Socket,
        tls: SSL.Connection,
        protocol: EdgeProtocol,
        readiness: Readiness,
    ) -> None:
        super().__init__(sock, protocol, readiness)
        self.tls = tls
        self._handle = self.calls.handle_of(tls)
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
            said = self.calls.shake(self.tls)
        except SSL.Error as why:
            self._failure = reason_of(why)
            self._end(LOST)
            return
        self._want_write(said == WANT_WRITE)
        if said != SHAKEN:
            return
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
        calls = self.calls
        for _ in range(1 if self._is_gentle else _BATCH):
            count = calls.read(self._handle, calls.buffer, RECORD)
            if count <= 0:
                self._not_read(calls.why(self._handle, count))
                return
            self._deliver(calls.view[:count])
            # OpenSSL reads no further than a record, so what is not read yet wakes the poll.
            if count < RECORD or not self._reading:
                return

    def _not_read(self, why: int) -> None:
        if why == ENDED:
            self._close_notified()
        elif why not in (WANT_READ, WANT_WRITE):
            self._end(LOST)

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
            while data := self._sock.recv(RECORD):
                del data  # after close_notify nothing counts (RFC 8446 §6.1)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            pass
        return True

    # --- writing ---

    def write(self, data: bytes) -> None:
        if self._queue or self._closing or self._lost or self._write_broken:
            if not (self._closing or self._lost or self._write_broken):
                self._enqueue(memoryview(data))
            return
        size = len(data)
        taken = self.calls.write(self._handle, data, size) if size else 0
        if taken != size:
            self._write_on(memoryview(data), taken)

    def _write_on(self, view: memoryview, taken: int) -> None:
        """Of what is written at once, OpenSSL has `taken` so many bytes; below 1 it tells why."""
        if taken > 0:
            view = view[taken:]
            taken = self._push(view)
        elif self._must_wait(taken):
            taken = 0
        if taken < 0:
            self._break_write()
        elif taken != len(view):
            self._enqueue(view[taken:])

    def _push(self, view: memoryview) -> int:
        """Give OpenSSL what it takes of `view`: a record at a time. -1: the peer is gone."""
        calls, size, done = self.calls, len(view), 0
        while done < size:
            rest = view[done:]
            taken = calls.write(self._handle, calls.at(rest), len(rest))
            if taken <= 0:
                return done if self._must_wait(taken) else -1
            done += taken
        return done

    def _must_wait(self, taken: int) -> bool:
        """Whether OpenSSL, which took nothing, will take it later; else the peer is gone."""
        why = self.calls.why(self._handle, taken)
        if why == WANT_READ:
            self._write_wants_read = True
        return why in (WANT_READ, WANT_WRITE)

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
            count = self.calls.read(self._handle, self.calls.buffer, RECORD)
            if count <= 0:
                self.calls.why(self._handle, count)  # leaves no error for others to find
                break
            self._deliver(self.calls.view[:count])
        self._end(LOST)

    # --- closing ---

    def _flushed(self) -> None:
        if self._established:
            if not self._notify_close():
                if self._closing:
                    self.pauseProducing()
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
