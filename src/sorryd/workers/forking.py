"""The control process's end of the fork server: one is there whenever a worker is needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from socket import AF_UNIX, SOCK_SEQPACKET, SOCK_STREAM, send_fds, socket, socketpair
from subprocess import Popen
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.workers.fork_server import ENDED, NOBODY

log = Logger()

PAUSE: Final = 1.0
"""Seconds before a server that has ended is started again, where nobody needs it at once."""

PROGRAM: Final = ("-m", "sorryd.workers.fork_server")

_LOOK: Final = 0.02  # seconds


class Forks:
    """Asks for workers. Mutable: it has the fork server of now.

    `program` is what Python runs; it gets its descriptor as the last argument.
    """

    def __init__(self, reactor: Any, program: Sequence[str] = PROGRAM) -> None:
        self._reactor = reactor
        self._program = program
        self._server: _Server | None = None
        self._again: IDelayedCall | None = None

    def start(self) -> None:
        """Have a fork server; where none can be started, the log says why."""
        self._stop_waiting()
        if self._server is not None:
            return
        try:
            self._server = _Server(self._reactor, self._program, self._ended)
        except OSError as why:
            log.error("no fork server can be started: {why}", why=why.strerror)
            self._wait()

    def fork(self) -> socket:
        """Our end of the channel to a new worker.

        It returns before there is one. Where there can't be one, the channel ends at once. Raises
        OSError where no descriptor is left.
        """
        ours, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        ours.setblocking(False)
        with theirs:
            if self._server is None or not self._server.ask(theirs):
                self._lose()
                self.start()
                if self._server is not None:
                    self._server.ask(theirs)
        return ours

    def stop(self) -> Deferred[None]:
        """Let the server go; workers stay. Fires when it has ended."""
        self._stop_waiting()
        server, self._server = self._server, None
        return succeed(None) if server is None else server.close()

    def _lose(self) -> None:
        """That one did not take what was asked for: it is gone, or its end comes."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _ended(self, server: _Server) -> None:
        """It ended by itself."""
        if server is self._server:
            self._server = None
            self._wait()

    def _wait(self) -> None:
        self._again = self._reactor.callLater(PAUSE, self.start)

    def _stop_waiting(self) -> None:
        again, self._again = self._again, None
        if again is not None and again.active():
            again.cancel()


@implementer(IReadDescriptor)
class _Server:
    """One fork server. Raises OSError where it can't be started."""

    def __init__(
        self, reactor: Any, program: Sequence[str], ended: Callable[[_Server], None]
    ) -> None:
        self._reactor = reactor
        self._tell_ended = ended
        self._over: Deferred[None] = Deferred()
        self._is_closed = False
        self._sock, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        self._sock.setblocking(False)
        with theirs:
            try:
                self._process = _popen(program, theirs.fileno())
            except OSError:
                self._sock.close()
                raise
        reactor.addReader(self)

    def ask(self, theirs: socket) -> bool:
        """Ask for a worker at `theirs`; whether the question was taken."""
        try:
            send_fds(self._sock, [b"1"], [theirs.fileno()])
        except OSError:
            return False
        return True

    def close(self) -> Deferred[None]:
        """Let it end; fires when it has."""
        if not self._is_closed:
            self._is_closed = True
            self._reactor.removeReader(self)
            self._sock.close()
            self._reap()
        return self._over

    # --- what the reactor asks ---

    def fileno(self) -> int:
        return self._sock.fileno()

    def logPrefix(self) -> str:
        return "fork server"

    def doRead(self) -> None:
        try:
            data = self._sock.recv(ENDED.size)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if data:
            _say_how(*ENDED.unpack(data))
            return
        self.close()
        self._tell_ended(self)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor is stopping."""

    # --- its end ---

    def _reap(self) -> None:
        # By looking, not by SIGCHLD: uvloop takes that signal.
        status = self._process.poll()
        if status is None:
            self._reactor.callLater(_LOOK, self._reap)
            return
        if status:
            log.error("the fork server has ended with status {status}", status=status)
        self._over.callback(None)


def _popen(program: Sequence[str], fd: int) -> Popen[bytes]:
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    arguments = [sys.executable, *flags, "-P", *program, str(fd)]
    return Popen(arguments, stdin=subprocess.DEVNULL, pass_fds=(fd,), start_new_session=True)


def _say_how(pid: int, status: int) -> None:
    """A worker has ended; where that is not well, or there is none, the log says so."""
    if pid == NOBODY:
        log.error("no worker can be forked: {why}", why=os.strerror(status).lower())
        return
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        log.error("worker process {pid} was killed by {name}", pid=pid, name=_name(-code))
    elif code:
        log.error("worker process {pid} ended with status {code}", pid=pid, code=code)


def _name(number: int) -> str:
    """A signal as people call it; most of the real-time ones have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
