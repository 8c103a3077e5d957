"""A file that one process at a time can hold (flock), with the holder's pid in it.

The kernel lets go of it when the process dies, however it dies. The file stays: to remove it
would let two processes lock two files of one name.
"""

from __future__ import annotations

import fcntl
import os


class LockTaken(Exception):
    """Another process holds the file; `pid` is who, where the file says so."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


class Lockfile:
    """The lock at `path`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Hold it from now on. Raises LockTaken, or OSError where the file cannot be opened."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.pwrite(file, b"%d\n" % os.getpid(), 0)
        except BlockingIOError:
            holder = os.pread(file, 20, 0).strip()
            os.close(file)
            raise LockTaken(int(holder) if holder.isdigit() else None) from None
        except OSError:
            os.close(file)
            raise
        self._file = file

    def release(self) -> None:
        """Let go of it; harmless when it is not held."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
