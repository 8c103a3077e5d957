"""UNIX sockets to listen at, as files: taken over when stale, never stolen, removed at the end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from typing import Final

MODE: Final = 0o666
"""Whoever reaches the folder may connect, whatever the umask: as nginx has it."""


class PathTaken(Exception):
    """There is something at the path that must not be replaced; the text says what."""


class PathInUse(PathTaken):
    """Another process answers there, or is about to."""


def bind_path(path: str) -> socket.socket:
    """A socket bound to `path`, not yet listening; raises PathTaken and OSError.

    A socket file that nobody answers at is replaced.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        with replacing(path):
            sock.bind(path)
            os.chmod(path, MODE)  # before it listens: nobody can connect until then
    except BaseException:
        sock.close()
        raise
    return sock


def identity(path: str) -> tuple[int, int] | None:
    """Which file is at `path`, whatever it is called; None where there is none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def remove(path: str, ours: tuple[int, int] | None) -> None:
    """Remove the file at `path` if it is still `ours`, and not one that took its place."""
    if ours is not None and identity(path) == ours:
        with contextlib.suppress(OSError):  # a folder that is not ours any more; nothing is lost
            os.unlink(path)


@contextlib.contextmanager
def replacing(path: str) -> Iterator[None]:
    """Make room at `path` for a socket that is bound within; raises PathTaken and OSError.

    Two daemons that start at once do not both take over the same stale file.
    """
    folder = os.path.dirname(os.path.abspath(path))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _clear(path)
        yield
    except BlockingIOError:
        raise PathInUse("another daemon is starting there; try again") from None
    finally:
        os.close(descriptor)


def _clear(path: str) -> None:
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise PathTaken("there is something that is no socket")
    if _answers(path):
        raise PathInUse("another daemon answers there")
    os.unlink(path)


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a UNIX socket connects at once or not at all
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except BlockingIOError:
            pass  # alive, with its backlog full (EAGAIN, connect(2))
        return True
