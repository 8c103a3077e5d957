"""The access log's lines on their way out: collected, and written in a thread of their own.

So a disk that is full or stuck, or a pipe that nobody reads, never stops a visitor. What can't
be written in time is dropped, and the log says how much of it.
"""

from __future__ import annotations

import math
import threading
from queue import SimpleQueue
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sorryd.access_file import LogFile, Output, words

log = Logger(namespace=__name__)

BATCH: Final = 262144
"""Bytes of lines that are collected, and then written at once."""

BEAT: Final = 1.0
"""Seconds after which lines are written however few they are."""

BACKLOG: Final = 4 << 20
"""Bytes of lines that may wait to be written; what comes on top is dropped."""

TOLD: Final = 60.0
"""Seconds between two lines in the log about what went wrong."""

_LOOK: Final = 0.02  # seconds between two looks at whether the thread is through, when stopping


class AccessLogFault(Exception):
    """The access log can't be written to; its str is one line for a person."""


class AccessLog:
    """Takes the lines of the access log."""

    def start(self) -> None:
        """Begin to write; raises AccessLogFault. Not before the process is a daemon."""
        raise NotImplementedError

    def write(self, line: bytes) -> None:
        """One whole line; never waits, never fails."""
        raise NotImplementedError

    def reopen(self) -> None:
        """The file was moved away: make another one (SIGUSR1)."""
        raise NotImplementedError

    def stop(self, limit: float) -> Deferred[None]:
        """Write what is left; fires when that is done, or after `limit` seconds."""
        raise NotImplementedError


def access_log(path: str, reactor: IReactorTime, is_daemon: bool) -> AccessLog:
    """The log at the absolute `path`, or ``-``: standard output.

    A daemon has none; then the lines go to where twistd logs to.
    """
    if path != "-":
        return WrittenLog(LogFile(path), reactor)
    return LoggedLog() if is_daemon else WrittenLog(Output("standard output", 1), reactor)


class LoggedLog(AccessLog):
    """Lines in twistd's own log."""

    def start(self) -> None:
        """There is nothing to begin."""

    def write(self, line: bytes) -> None:
        """See AccessLog."""
        log.info("{line}", line=line.decode("ascii").rstrip("\n"))

    def reopen(self) -> None:
        """twistd reopens its own log."""

    def stop(self, limit: float) -> Deferred[None]:
        """See AccessLog."""
        over: Deferred[None] = Deferred()
        over.callback(None)
        return over


class WrittenLog(AccessLog):
    """Lines written to `output`. All but `_work` is called in the reactor's thread."""

    def __init__(self, output: Output, reactor: IReactorTime) -> None:
        self._output = output
        self._reactor = reactor
        self._lines: list[bytes] = []
        self._size = 0
        self._batches: SimpleQueue[list[bytes] | None] = SimpleQueue()
        # Bytes and lines are counted up by one thread each, so that none needs a lock.
        self._given = self._done = 0  # bytes, by the reactor's and by ours
        self._dropped = self._lost = 0  # lines, by the reactor's and by ours
        self._told = 0  # lines that the log has told of
        self._silent_until = -math.inf  # a moment
        self._writer = threading.Thread(target=self._work, name="access log", daemon=True)
        self._beat = LoopingCall(self._beaten)
        self._beat.clock = reactor

    def start(self) -> None:
        """See AccessLog."""
        try:
            self._output.open()
        except OSError as why:
            raise AccessLogFault(f"{self._output.name}: {words(why)}") from None
        self._writer.start()
        self._beat.start(BEAT, now=False)

    def write(self, line: bytes) -> None:
        """See AccessLog."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what was collected, or drop it where too much waits already."""
        lines, self._lines = self._lines, []
        size, self._size = self._size, 0
        if not lines:
            return
        if self._given - self._done + size > BACKLOG:
            self._dropped += len(lines)
            return
        self._given += size
        self._batches.put(lines)

    def reopen(self) -> None:
        """See AccessLog."""
        self._batches.put([])  # whatever is written, the file is looked for before

    def stop(self, limit: float) -> Deferred[None]:
        """See AccessLog."""
        over: Deferred[None] = Deferred()
        self.flush()
        if self._beat.running:
            self._beat.stop()
        self._batches.put(None)
        self._wait(over, self._reactor.seconds() + limit)
        return over

    def _wait(self, over: Deferred[None], latest: float) -> None:
        if self._writer.is_alive() and self._reactor.seconds() < latest:
            self._reactor.callLater(_LOOK, self._wait, over, latest)
            return
        self._tell()
        if self._writer.is_alive():
            left = self._given - self._done
            log.warn(
                "access log: {name}: {left} bytes of lines could not be written in time",
                name=self._output.name, left=left,
            )  # fmt: skip
        over.callback(None)

    def _beaten(self) -> None:
        self.flush()
        if self._reactor.seconds() >= self._silent_until:
            self._tell()

    def _tell(self) -> None:
        """Say what went wrong since it was said last."""
        why, self._output.fault = self._output.fault, ""
        lost = self._dropped + self._lost - self._told
        if not (why or lost):
            return
        self._told += lost
        self._silent_until = self._reactor.seconds() + TOLD
        log.error(
            "access log: {name}: {why}; lines lost: {lost}",
            name=self._output.name, why=why or "it takes no more for now", lost=lost,
        )  # fmt: skip

    def _work(self) -> None:
        """The thread."""
        while (lines := self._batches.get()) is not None:
            data = b"".join(lines)
            self._lost += self._output.write(data)
            self._done += len(data)
        self._output.close()
