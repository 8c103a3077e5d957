"""A supervisor as systemd is one, as far as a daemon can see: sockets down, notices up.

with Notices(tmp_path) as notices, Supervised(tmp_path, ini, notices=notices) as daemon:
    notices.wait_for("READY=1")
"""

from __future__ import annotations

import array
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import pytest
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.waiting import PATIENCE

MOST: Final = 16  # descriptors of one notice

_MARK: Final = b"(so far)"

_EXECUTE: Final = """
import fcntl, os, sys
handed = [int(fd) for fd in sys.argv[1].split()]
held = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in handed]
for number, fd in enumerate(held):
    os.dup2(fd, 3 + number)
for fd in {*handed, *held} - {*range(3, 3 + len(handed))}:
    os.close(fd)
if handed:
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(handed)))
os.execv(sys.argv[2], sys.argv[2:])
"""


class Notice(NamedTuple):
    """What one datagram said; the descriptors that came with it are the reader's."""

    fields: dict[str, str]
    descriptors: tuple[int, ...]
    at: float  # a moment


class Notices:
    """The socket that a service notifies (sd_notify(3)), and what came there: read at once."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify.sock")
        self._all: list[Notice] = []
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(self.address)
        self._read = self._marks = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._sock.shutdown(socket.SHUT_RD)
        self._reader.join()
        self._sock.close()
        for notice in self._all:
            for fd in notice.descriptors:
                os.close(fd)
        if kind is not None:
            print("--- notices", *(notice.fields for notice in self._all), sep="\n")

    def wait_for(self, *lines: str) -> Notice:
        """The next one, after those waited for before, that says each of `lines`.

        A line without ``=`` is the name of a field, whatever its value.
        """
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                while self._read < len(self._all):
                    self._read += 1
                    notice = self._all[self._read - 1]
                    if all(_has(notice, line) for line in lines):
                        return notice
                if not self._changed.wait(deadline - time.monotonic()):
                    pytest.fail(f"{lines} was not notified within {PATIENCE:g} s: {self._all}")

    def heard(self) -> list[Notice]:
        """All that was said until now."""
        with self._changed, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(self.address)
            sock.send(_MARK)  # what was sent before comes before
            known = self._marks
            while self._marks == known:
                assert self._changed.wait(PATIENCE)
            return list(self._all)

    def _listen(self) -> None:
        room = socket.CMSG_SPACE(MOST * array.array("i").itemsize)
        while True:
            data, attached, _, _ = self._sock.recvmsg(65536, room)
            with self._changed:
                if data == _MARK:
                    self._marks += 1
                elif data:
                    lines = (line.partition("=") for line in data.decode().splitlines())
                    fields = {name: value for name, _, value in lines}
                    self._all.append(Notice(fields, _descriptors(attached), time.monotonic()))
                self._changed.notify_all()
            if not data:
                return


def _has(notice: Notice, line: str) -> bool:
    name, separator, value = line.partition("=")
    return name in notice.fields and (not separator or notice.fields[name] == value)


def _descriptors(attached: Sequence[tuple[int, int, bytes]]) -> tuple[int, ...]:
    found = array.array("i")
    for level, kind, data in attached:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return tuple(found)


class Supervised(Daemon):
    """A daemon that gets the `sockets`, each with a name, and notifies `notices`.

    `more` is what else the supervisor says in the environment. It may be started again with
    others.
    """

    def __init__(
        self,
        folder: Path,
        ini: str,
        *,
        sockets: Sequence[tuple[str, socket.socket]] = (),
        notices: Notices | None = None,
        more: dict[str, str] | None = None,
        foreground: bool = True,
    ) -> None:
        super().__init__(folder, ini, foreground=foreground)
        self._environment |= more or {}
        if notices is not None:
            self._environment["NOTIFY_SOCKET"] = notices.address
        self.hand(sockets)

    def hand(self, sockets: Sequence[tuple[str, socket.socket]]) -> None:
        """Let it have these from its next start on."""
        self._inherited = tuple(sock.fileno() for _, sock in sockets)
        self._environment["LISTEN_FDNAMES"] = ":".join(name for name, _ in sockets)

    def command(self, *options: str) -> list[str]:
        handed = " ".join(map(str, self._inherited))
        script, *rest = super().command(*options)
        return [sys.executable, "-c", _EXECUTE, handed, script, *rest]
