"""Where the access log is written to: a file, a named pipe, or standard output.

All of this may wait for a disk, or for who reads a pipe: access_log.py calls it in a thread of
its own. Several workers may write to the same: their lines stand whole, one after the other. A
file is written to by one at a time (flock(2)). A pipe takes as many lines at once as it takes in
one piece, PIPE_BUF bytes (pipe(7)); only a line that is longer may be mixed with others.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
from collections.abc import Iterator
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
            if stat.S_ISREG(os.fstat(self._fd).st_mode):
                with _alone(self._fd):
                    self._append(data)
            else:
                for piece in _pieces(data):
                    self._put(piece)
        except OSError as why:
            self.fault = words(why)
            self.close()
            return data.count(b"\n", self._written)
        return 0

    def _prepare(self) -> None:
        """Whatever must be before something is written; raises OSError."""

    def _append(self, data: bytes) -> None:
        try:
            self._put(data)
        except OSError:
            begun = self._written - data.rfind(b"\n", 0, self._written) - 1
            if begun:
                with contextlib.suppress(OSError):
                    self._take_back(begun)
            raise

    def _take_back(self, count: int) -> None:
        """Of a line for which there was no room, so many bytes are there; raises OSError."""

    def _put(self, data: bytes) -> None:
        if self._torn:
            self._write(memoryview(b"\n"))
        rest = memoryview(data)
        while rest:
            count = self._write(rest)
            self._written += count
            rest = rest[count:]

    def _write(self, data: memoryview) -> int:
        while True:
            try:
                count = os.write(self._fd, data)
            except BlockingIOError:
                _wait_for_room(self._fd)
                continue
            self._torn = data[count - 1] != _LINE_END
            return count


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

    def _take_back(self, count: int) -> None:
        os.ftruncate(self._fd, os.fstat(self._fd).st_size - count)
        self._torn = False

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


@contextlib.contextmanager
def _alone(fd: int) -> Iterator[None]:
    """While no other worker writes; where the file system has no locks, as it comes."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Whole lines, so many at a time as a pipe takes in one piece."""
    at = 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + select.PIPE_BUF) + 1 or data.find(b"\n", at) + 1
        yield data[at : end or len(data)]
        at = end or len(data)


def _wait_for_room(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
