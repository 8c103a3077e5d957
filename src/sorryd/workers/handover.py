"""Where a worker can be asked for its listening sockets, should its control process be gone.

A private UNIX socket in a folder beside the journal, named by the worker's pid. The folder is its
owner's alone, and who asks must be root or the worker's own user: whoever has a listening socket
takes visitors.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol, assert_never

from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.unix_sockets import identity, remove
from sorryd.workers.channel import Channel, open_channel
from sorryd.workers.handing import Asked, Attended, Heed, Heeded, Hurry, Retire, Stop, Take, Taken

log = Logger()

_BACKLOG: Final = 16
_CREDENTIALS: Final = struct.Struct("iII")  # struct ucred: pid, uid, gid; unix(7)


class UnsafeFolder(OSError):
    """Others than us could put their own sockets in the folder."""


class Offer(NamedTuple):
    """The answer to who would take over, and the descriptors that go with it."""

    answer: Attended | Taken
    fds: Sequence[int] = ()


class HandsOver(Protocol):
    """The worker. Only who is alone is told anything but `offer`."""

    def offer(self) -> Offer:
        """What there is to hand over; Attended where its control process lives."""

    def heed(self, snapshot: bytes) -> None:
        """This is so now; see handing.Heed."""

    def retire(self, limit: float) -> None:
        """Others serve: accept no more, and end after `limit` seconds at the most."""

    def stop(self, limit: float) -> None:
        """End, within `limit` seconds."""

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""


def folder_of(state: str) -> str:
    """Where the workers of the daemon with the journal `state` can be asked."""
    return f"{state}.workers"


def open_folder(state: str) -> int:
    """A descriptor of the folder that is there.

    Raises OSError; UnsafeFolder where it is not the daemon's alone. Root takes the owner of the
    journal for the daemon's user: it has not become that user yet.
    """
    fd = os.open(folder_of(state), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    status = os.fstat(fd)
    is_theirs = os.geteuid() == 0 and _owner_of(state) == status.st_uid
    if stat.S_IMODE(status.st_mode) & 0o077 or not (is_theirs or is_trusted(status.st_uid)):
        os.close(fd)
        raise UnsafeFolder(0, "it belongs to others than the daemon's user, or is open to them")
    return fd


def forget(state: str, pid: int) -> None:
    """Remove the file of a worker that has ended without a word, if nobody answers there."""
    with contextlib.suppress(OSError):
        folder = open_folder(state)
        path = within(folder, str(pid))
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
                sock.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        finally:
            os.close(folder)


def peer_of(sock: socket.socket) -> tuple[int, int]:
    """The pid and the uid at the other end of a connected UNIX socket (SO_PEERCRED)."""
    packed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(packed)
    return pid, uid


def within(folder: int, name: str) -> str:
    """The path of a file in an open folder, however long the folder's own is (proc(5))."""
    return f"/proc/self/fd/{folder}/{name}"


def is_trusted(uid: int) -> bool:
    """Whether that user may take over from us: root, and our own."""
    return uid in (0, os.geteuid())


def _owner_of(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


@implementer(IReadDescriptor)
class Handover:
    """Answers who asks `worker`. Where there can be no socket, `open` says so in the log."""

    def __init__(self, reactor: Any, worker: HandsOver) -> None:
        self._reactor = reactor
        self._worker = worker
        self._sock: socket.socket | None = None
        self._channels: list[Channel[Asked]] = []

    def open(self, state: str) -> None:
        """Be asked beside the journal `state` from now on."""
        path = folder_of(state)
        try:
            os.makedirs(path, 0o700, exist_ok=True)
            folder = open_folder(state)
            try:
                self._open(folder)
            finally:
                os.close(folder)
        except OSError as why:
            log.error(
                "{path}: {why}: should the control process die, this worker can't hand over",
                path=path,
                why=why.strerror,
            )
            return
        self._path = os.path.join(path, str(os.getpid()))
        self._file = identity(self._path)
        self._reactor.addReader(self)

    def _open(self, folder: int) -> None:
        path = within(folder, str(os.getpid()))
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if os.path.lexists(path):
                os.unlink(path)  # of a process that had our pid
            sock.bind(path)
            os.chmod(path, 0o600)
            sock.listen(_BACKLOG)
        except OSError:
            sock.close()
            raise
        self._sock = sock

    def close(self) -> None:
        """Be asked no more."""
        sock, self._sock = self._sock, None
        if sock is not None:
            self._reactor.removeReader(self)
            sock.close()
            remove(self._path, self._file)
        for channel in self._channels[:]:
            channel.close()

    # --- what the reactor asks ---

    def fileno(self) -> int:
        return -1 if self._sock is None else self._sock.fileno()

    def logPrefix(self) -> str:
        return "handover"

    def doRead(self) -> None:
        assert self._sock is not None
        try:
            sock, _ = self._sock.accept()
        except OSError:  # who asked is gone; or no descriptor is left, and it asks again
            return
        pid, uid = peer_of(sock)
        if not is_trusted(uid):
            log.error("user {uid} (process {pid}) may not take over", uid=uid, pid=pid)
            sock.close()
            return
        # Where no descriptor is left, the end of the socket is the answer, and it is asked again.
        with contextlib.suppress(OSError):
            _Successor(self._reactor, sock, pid, self._worker, self._channels)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor is stopping."""


class _Successor:
    """One who asks. Raises OSError where no descriptor is left."""

    def __init__(
        self,
        reactor: Any,
        sock: socket.socket,
        pid: int,
        worker: HandsOver,
        channels: list[Channel[Asked]],
    ) -> None:
        self._worker = worker
        self._channels = channels
        self._pid = pid
        self._channel: Channel[Asked] = open_channel(
            reactor, sock, f"process {pid}", Asked, self._asked, self._lost
        )
        channels.append(self._channel)

    def _asked(self, asked: Asked, fds: tuple[int, ...]) -> None:
        for fd in fds:
            os.close(fd)
        offer = self._worker.offer()
        if isinstance(asked, Take) or isinstance(offer.answer, Attended):
            self._channel.send(*offer)
            return
        match asked:
            case Heed():
                self._worker.heed(asked.snapshot)
                self._channel.send(Heeded(serial=asked.serial))
            case Retire():
                log.info("process {pid} has taken over: retiring", pid=self._pid)
                self._worker.retire(asked.limit)
            case Stop():
                self._worker.stop(asked.limit)
            case Hurry():
                self._worker.hurry()
            case _:
                assert_never(asked)

    def _lost(self) -> None:
        self._channels.remove(self._channel)
