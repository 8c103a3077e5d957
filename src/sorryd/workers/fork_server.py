"""A small process that has imported all of a worker, and forks one whenever it is asked to.

``python -P -m sorryd.workers.fork_server FD``: FD is a UNIX socket of packets (SOCK_SEQPACKET) to
the control process. Each packet there brings one descriptor, the worker's end of its channel; each
end of a worker goes back as its pid and its wait status (``!ii``). The end of the socket ends this
process. Workers go on without it, and init reaps them then.

It never runs a reactor nor a thread, so what it forks is whole. Its session is its own: a ctrl-C
for the daemon does not reach the workers, who stop when the control process has told them to.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

ENDED: Final = struct.Struct("!ii")
"""A pid and a wait status, as waitpid(2) gives them; or `NOBODY` and an errno."""

NOBODY: Final = 0
"""In place of a pid: none could be forked."""

_IGNORED: Final = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)


class ForkServer:
    """`run` is the worker: it gets the descriptor of its end of the channel."""

    def __init__(self, asked: socket.socket, run: Callable[[int], None]) -> None:
        self._asked = asked
        self._run = run
        self._rung, self._bell = socket.socketpair()  # by each SIGCHLD

    def serve(self) -> None:
        """Fork what is asked for, and reap what has ended, until the control process is gone."""
        self._take_signals()
        ready = select.poll()
        ready.register(self._asked, select.POLLIN)
        ready.register(self._rung, select.POLLIN)
        while True:
            numbers = [number for number, _ in ready.poll()]
            if self._rung.fileno() in numbers:
                self._rung.recv(4096)
                self._reap()
            if self._asked.fileno() in numbers and not self._answer():
                signal.set_wakeup_fd(-1)
                return

    def _take_signals(self) -> None:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # who started us may hold some for later
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._bell.setblocking(False)
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)

    def _answer(self) -> bool:
        """Fork one; whether there is still somebody who asks."""
        try:
            data, fds, _, _ = socket.recv_fds(self._asked, 64, 1)
        except ConnectionResetError:
            return False
        for fd in fds:
            self._fork(fd)
            os.close(fd)
        return bool(data)

    def _fork(self, fd: int) -> None:
        _flush()
        try:
            pid = os.fork()
        except OSError as why:  # who asked sees the end of the channel
            self._tell(NOBODY, why.errno or 0)
            return
        if pid == 0:
            os._exit(self._become(fd))

    # --- in the child ---

    def _become(self, fd: int) -> int:
        """Be the worker at `fd`; its exit status."""
        try:
            self._forget()
            call_it("sorryd-worker")
            os.set_inheritable(fd, False)
            self._run(fd)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
            return 1
        finally:
            _flush()
        return 0

    def _forget(self) -> None:
        """Leave to the server what is the server's: its sockets, and its signals."""
        signal.set_wakeup_fd(-1)
        for sock in (self._asked, self._rung, self._bell):
            sock.close()
        for number in (*_IGNORED, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as Python begins

    # --- in the server ---

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):  # there is none
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._tell(pid, status)

    def _tell(self, pid: int, status: int) -> None:
        # Where nobody reads, its end is seen at its channel all the same.
        with contextlib.suppress(OSError):
            self._asked.send(ENDED.pack(pid, status), socket.MSG_DONTWAIT)


def serve(fd: int, run: Callable[[int], None]) -> None:
    """Serve the control process at `fd`; `run` is what a worker does."""
    call_it("sorryd-forks")
    server = ForkServer(socket.socket(fileno=fd), run)
    gc.collect()
    gc.freeze()  # what is shared with the children is not touched by their collections
    server.serve()


def call_it(name: str) -> None:
    """Name this process in lists of them, by up to 15 bytes: prctl(2), PR_SET_NAME."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]), import_module("sorryd.workers.main").run)
