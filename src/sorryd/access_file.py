"""Where the access log is written to: a file, a named pipe, or standard output.

All of this may wait for a disk, or for who reads a pipe: access_log.py calls it in a thread of
its own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
from typing import Final

MODE: Final = 0o640
"""Of a file that is made anew, whatever the umask: not everybody may read who asked for what."""

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
_LINE_END: Final = 0x0A


class Output:
    """An open descriptor, which is never closed here: standard output.

    `fault` is what went wrong last; whoever has told of it empties it.
    """

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self.fault = ""
        self._fd = fd
        self._torn = False  # what was written ends in the middle of a line
        self._written = 0  # bytes of what was given last

    def open(self) -> None:
        """Open it, as far as that can't take long; raises OSError."""

    def close(self) -> None:
        """Let go of it; what is written next opens it again."""

    def write(self, data: bytes) -> int:
        """Append whole lines; the number of those that were lost, where there is a `fault`."""
        self._written = 0
        try:
            self._prepare()
            if self._torn:
                self._append(b"\n")
            self._append(data)
        except OSError as why:
            self.fault = words(why)
            self.close()
            return data.count(b"\n", self._written)
        return 0

    def _prepare(self) -> None:
        """Whatever must be before something is written; raises OSError."""

    def _append(self, data: bytes) -> None:
        self._written = 0
        while self._written < len(data):
            try:
                self._written += os.write(self._fd, memoryview(data)[self._written :])
            except BlockingIOError:
                _wait_for_room(self._fd)
                continue
            self._torn = data[self._written - 1] != _LINE_END


class LogFile(Output):
    """The file at `path`, which is absolute: made where it is missing, else appended to.

    Where it was moved away or deleted since (logrotate), another one takes its place.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, -1)

    def open(self) -> None:
        try:
            self._take(_opened(self.name, os.O_NONBLOCK))
        except OSError as why:
            if why.errno != errno.ENXIO:  # a pipe that nobody reads yet: wait for that later
                raise

    def close(self) -> None:
        self._take(-1)

    def _take(self, fd: int) -> None:
        before, self._fd = self._fd, fd
        if before >= 0:
            os.close(before)

    def _prepare(self) -> None:
        if self._fd < 0:
            self._take(_opened(self.name))
        elif self._was_moved():
            try:
                fd = _opened(self.name)
            except OSError as why:
                self.fault = f"{words(why)}; the old file is written to"
                return
            self._take(fd)
            self._torn = False

    def _was_moved(self) -> bool:
        ours = os.fstat(self._fd)
        try:
            there = os.stat(self.name)
        except OSError:
            return True
        return (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino)


def words(why: OSError) -> str:
    """What went wrong, for a person."""
    return (why.strerror or str(why)).lower()


def _opened(path: str, more: int = 0) -> int:
    flags = _FLAGS | os.O_CREAT | more
    try:
        fd = os.open(path, flags | os.O_EXCL, MODE)
    except FileExistsError:
        return os.open(path, flags, MODE)  # not yet there, where it is a link
    with contextlib.suppress(OSError):  # file systems that have no modes
        os.fchmod(fd, MODE)
    return fd


def _wait_for_room(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
