"""A new control process takes the listening sockets of workers whose control process is gone.

That is done at once, before anything is bound, and without a reactor; `PATIENCE` seconds are what
it may take, however many there are. Nothing changes by it for those who are asked: only when
others serve are they told to retire. So a takeover that dies half-way has done no harm, and the
next one finds them all.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, assert_never

import msgspec
from twisted.logger import Logger

from sorryd.model import Listen
from sorryd.workers.frames import Frames, head_of
from sorryd.workers.handing import Answer, Attended, Heeded, Listening, Take, Taken
from sorryd.workers.handover import folder_of, open_folder, peer_of, within

log = Logger()

PATIENCE: Final = 2.0
"""Seconds in which all who are asked must have answered."""

AGAIN: Final = 0.05
"""Seconds after which one is asked again that has not yet noticed that it is alone."""

_PIECE: Final = 65536
_FDS: Final = 250  # SCM_MAX_FD is 253


class Left(NamedTuple):
    """A worker that its control process has left behind.

    `sock` leads to it; it hears handing.Asked.
    """

    pid: int
    sock: socket.socket
    began: float
    sockets: Sequence[tuple[Listening, socket.socket]]

    def drop(self) -> None:
        """Let go of all that leads to it."""
        self.sock.close()
        for _, sock in self.sockets:
            sock.close()


def take(state: str) -> list[Left]:
    """Those of the daemon with the journal `state`, the newest first."""
    try:
        folder = open_folder(state)
    except FileNotFoundError:
        return []
    except OSError as why:
        path = folder_of(state)
        log.error("{path}: {why}: nothing is taken over", path=path, why=why.strerror)
        return []
    try:
        found = _Round(list(_connected(folder))).answers()
    finally:
        os.close(folder)
    return sorted(found, key=lambda one: -one.began)


def _connected(folder: int) -> Iterator[_Asking]:
    for name in os.listdir(folder):
        if not name.isdigit():
            continue
        path = within(folder, name)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            sock.connect(path)
        except ConnectionRefusedError:  # who it was is gone
            sock.close()
            with contextlib.suppress(OSError):
                os.unlink(path)
        except OSError as why:
            sock.close()
            log.error("worker {pid} can't be asked: {why}", pid=name, why=why.strerror)
        else:
            yield _Asking(sock)


class _Asking:
    """One that is asked. `left` is its answer; `is_over` where there is none to be had."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.pid, _ = peer_of(sock)
        self.left: Left | None = None
        self.is_over = False
        self.ask_at = 0.0  # a moment
        self._has_spoken = False
        self._frames = Frames()
        self._fds: list[int] = []
        self._decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)

    def ask(self, now: float) -> None:
        """Ask, if it is time to."""
        if now < self.ask_at:
            return
        self.ask_at = float("inf")
        body = msgspec.msgpack.encode(Take())
        try:
            self.sock.send(head_of(body, 0) + body)
        except OSError as why:
            self.close(why.strerror or "gone")

    def read(self, now: float) -> None:
        """Read what it answers."""
        try:
            data, fds, _, _ = socket.recv_fds(self.sock, _PIECE, _FDS)
        except BlockingIOError:
            return
        except OSError as why:
            self.close(why.strerror or "gone")
            return
        self._fds += fds
        self._has_spoken = True
        if not data:
            self.close("it has ended")
            return
        for body, count in self._frames.feed(data):
            self._hear(body, count, now)

    def close(self, why: str = "") -> None:
        """Ask no more."""
        self.is_over = True
        if why:
            log.error("worker {pid} is passed over: {why}", pid=self.pid, why=why)
        self.sock.close()
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()

    def give_up(self) -> None:
        """It did not answer in time: where it has said nothing at all, it is told later to go."""
        if self._has_spoken:
            self.close(f"it does not answer within {PATIENCE:g} s")
            return
        log.error(
            "worker {pid} does not answer within {patience:g} s: nothing is taken from it",
            pid=self.pid, patience=PATIENCE,
        )  # fmt: skip
        self.left = Left(self.pid, self.sock, 0.0, ())

    def _hear(self, body: bytearray, count: int, now: float) -> None:
        try:
            answer = self._decoder.decode(body)
        except msgspec.DecodeError as why:
            self.close(f"what it says is not understood: {why}")
            return
        match answer:
            case Taken():
                self._take(answer, count)
            case Attended() if _has_control(answer):
                self.close()
            case Attended() | Heeded():
                self.ask_at = now + AGAIN
            case _:
                assert_never(answer)

    def _take(self, answer: Taken, count: int) -> None:
        if not count == len(self._fds) == len(answer.sockets):
            self.close("it sent other descriptors than it said")
            return
        socks = [socket.socket(fileno=fd) for fd in self._fds]
        self._fds.clear()
        self.is_over = True
        pairs = []
        for listening, sock in zip(answer.sockets, socks, strict=True):
            if _is_at(sock, listening.listen):
                os.set_inheritable(sock.fileno(), False)
                sock.setblocking(False)  # as it is for all who have it; now Python knows
                pairs.append((listening, sock))
            else:
                sock.close()
        self.left = Left(self.pid, self.sock, answer.began, tuple(pairs))


class _Round:
    """All are asked at once."""

    def __init__(self, askings: Sequence[_Asking]) -> None:
        self._askings = askings

    def answers(self) -> list[Left]:
        deadline = time.monotonic() + PATIENCE
        while self._open and time.monotonic() < deadline:
            for one in self._open:
                one.ask(time.monotonic())
            self._wait()
        for one in self._open:
            one.give_up()
        return [one.left for one in self._askings if one.left is not None]

    @property
    def _open(self) -> Sequence[_Asking]:
        return [one for one in self._askings if not one.is_over]

    def _wait(self) -> None:
        poll = select.poll()
        by_fd = {one.sock.fileno(): one for one in self._open}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(AGAIN * 1000):
            by_fd[fd].read(time.monotonic())


def _has_control(answer: Attended) -> bool:
    """Whether it has a control process that lives, and that is not what we were before."""
    if answer.control == os.getpid():
        return False
    try:
        os.kill(answer.control, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def _is_at(sock: socket.socket, listen: Listen) -> bool:
    """Whether it listens where it was said to."""
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return False
    if listen.path is not None or listen.name is not None:
        return listen.path is None or sock.getsockname() == listen.path
    host, port = sock.getsockname()[:2]
    return bool(host == listen.host and listen.port in (0, port))
