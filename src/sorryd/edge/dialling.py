"""Connected sockets: the addresses of one member, tried one after the other."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sorryd.edge.descriptors import EXHAUSTED, is_spare
from sorryd.edge.kernel import Socket
from sorryd.edge.readiness import Readiness
from sorryd.edge.wheel import NEVER, Wheel

_BUSY: Final = errno.EAGAIN  # of a UNIX socket: as many as it may have wait to be accepted


class Target(NamedTuple):
    """Where to connect: an IP literal and a port, or the path of a UNIX socket."""

    host: str
    port: int

    @property
    def is_path(self) -> bool:
        """Whether it is a UNIX socket."""
        return self.port < 0

    @property
    def family(self) -> socket.AddressFamily:
        """What sockets that go there are of."""
        if self.is_path:
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET


def path_of(path: str) -> Target:
    """The target that is a UNIX socket."""
    return Target(path, -1)


class Dial:
    """One connected socket in the making; calls `done` exactly once, unless it is cancelled.

    `done` gets the socket and where it goes, or None and why there is none: empty where it is
    we who have no descriptor or memory left. `until` is the moment at which it must be there.
    Each target has an equal part of the time that is left when its turn comes; `late` is why
    the last one was given up. `failed` is told each target that failed.
    """

    def __init__(
        self,
        readiness: Readiness,
        wheel: Wheel,
        until: float,
        late: str,
        failed: Callable[[str], None],
        done: Callable[[Socket | None, str], None],
    ) -> None:
        self._readiness = readiness
        self._wheel = wheel
        self._until = until
        self._late = late
        self._failed = failed
        self._done = done
        self._targets: list[Target] = []
        self._target = Target("", 0)
        self._sock: Socket | None = None
        self._why = "it has no address"
        self.deadline = NEVER

    def start(self, targets: Sequence[Target]) -> None:
        """Try `targets` in their order."""
        self._targets = list(targets)
        self._wheel.add(self)
        self._try_next()

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self._wheel.discard(self)
        self._drop()

    def timed_out(self) -> None:
        """The time of this target is over (see wheel.py)."""
        if self._sock is None and self._wheel.now < self._until:
            self._targets.insert(0, self._target)  # it was busy
        else:
            self._drop()
            self._failed(self._target.host)
            self._why = self._late
        self._try_next()

    def _try_next(self) -> None:
        while self._targets:
            self._target = target = self._targets.pop(0)
            left = self._until - self._wheel.now
            self.deadline = self._wheel.now + max(0.0, left / (len(self._targets) + 1))
            code = self._try(target)
            if code == errno.EINPROGRESS:
                return
            if code == _BUSY and target.is_path and left > 0:
                # No poll tells when it has room again: the next tick does.
                self.deadline = self._wheel.now
                return
            if code == 0:
                self._connected()
                return
            if code in EXHAUSTED:
                self._end(None, "")
                return
            self._failed(target.host)
            self._why = os.strerror(code).lower()
        self._end(None, self._why)

    def _try(self, target: Target) -> int:
        """Begin to connect; the error number, EINPROGRESS where it goes on."""
        try:
            sock = Socket(target.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as why:
            return why.errno or errno.EIO
        if is_spare(sock.fileno()):
            sock.close()
            return errno.EMFILE
        code = sock.connect_ex(target.host if target.is_path else (target.host, target.port))
        if code not in (0, errno.EINPROGRESS):
            sock.close()
            return code
        self._sock = sock
        if code:
            self._readiness.watch_write(sock.fileno(), self._writable)
        return code

    def _writable(self) -> None:
        sock = self._sock
        assert sock is not None
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0 and not _has_peer(sock):
            return  # woken for what its number was before (see readiness.py)
        if code:
            self._drop()
            self._failed(self._target.host)
            self._why = os.strerror(code).lower()
            self._try_next()
            return
        self._readiness.unwatch_write(sock.fileno())
        self._connected()

    def _connected(self) -> None:
        sock, self._sock = self._sock, None
        assert sock is not None
        if not self._target.is_path:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._end(sock, self._target.host)

    def _end(self, sock: Socket | None, words: str) -> None:
        self._wheel.discard(self)
        self._done(sock, words)

    def _drop(self) -> None:
        if self._sock is not None:
            self._readiness.unwatch_write(self._sock.fileno())
            self._sock.close()
            self._sock = None


def _has_peer(sock: Socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True
