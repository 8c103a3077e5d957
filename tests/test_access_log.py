"""The access log's lines on their way out: none waits for a disk, and none is lost unsaid."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.waiting import until
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import provider

from sorryd.access_file import LogFile, Output
from sorryd.access_log import (
    BACKLOG,
    BATCH,
    BEAT,
    TOLD,
    AccessLogFault,
    LoggedLog,
    WrittenLog,
    access_log,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def log(path: Path, clock: Clock) -> Iterator[WrittenLog]:
    log = WrittenLog(LogFile(str(path)), clock)
    log.start()
    yield log
    stopped(log, clock)


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What sorryd's own log is told."""
    lines: list[str] = []

    @provider(ILogObserver)
    def hear(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(hear)
    yield lines
    globalLogPublisher.removeObserver(hear)


def stopped(log: WrittenLog, clock: Clock, limit: float = 30.0) -> None:
    """Stop `log`, and wait until it says that it is through."""
    over: list[None] = []
    log.stop(limit).addCallback(over.append)

    def look() -> bool:
        clock.advance(0.02 if limit > 1 else limit)
        return bool(over)

    until(look, "the end of the access log")
    assert clock.getDelayedCalls() == []


def arrives(path: Path, data: bytes) -> None:
    """Wait until the file has exactly this in it."""
    until(lambda: path.read_bytes() == data, f"{data[:80]!r} in {path.name}")


# --- when lines are written -----------------------------------------------------------------


def test_after_a_while(log: WrittenLog, clock: Clock, path: Path) -> None:
    """A few lines wait for others, but not for long."""
    log.write(b"1\n")
    log.write(b"2\n")
    clock.advance(BEAT - 0.1)
    assert path.read_bytes() == b""
    clock.advance(0.1)
    arrives(path, b"1\n2\n")
    log.write(b"3\n")
    clock.advance(BEAT)
    arrives(path, b"1\n2\n3\n")


def test_before_it_starts(path: Path, clock: Clock) -> None:
    """Lines are kept until then."""
    log = WrittenLog(LogFile(str(path)), clock)
    log.write(b"1\n")
    log.flush()
    log.start()
    arrives(path, b"1\n")
    stopped(log, clock)


def test_many_at_once(log: WrittenLog, path: Path) -> None:
    """Many lines wait for no clock."""
    line = b"a" * 1023 + b"\n"
    for _ in range(BATCH // 1024):
        log.write(line)
    log.write(b"one more\n")
    arrives(path, line * (BATCH // 1024))


def test_the_last_ones(log: WrittenLog, clock: Clock, path: Path) -> None:
    """Are written when it is stopped; what comes after that is nobody's, and harmless."""
    log.write(b"1\n")
    stopped(log, clock)
    for _ in range(3 * BACKLOG // BATCH):
        log.write(b"2" * BATCH)
    assert path.read_bytes() == b"1\n"


def test_reopened(log: WrittenLog, path: Path) -> None:
    """The new file is there at once, not only with the next line."""
    until(path.exists, "the file")
    path.rename(path.with_name("access.log.1"))
    log.reopen()
    until(path.exists, "the new file")
    log.write(b"1\n")
    log.flush()
    arrives(path, b"1\n")


def test_rotated_without_a_word(log: WrittenLog, path: Path) -> None:
    """What nobody told us of is seen by itself."""
    log.write(b"1\n")
    log.flush()
    arrives(path, b"1\n")
    path.rename(path.with_name("access.log.1"))
    log.write(b"2\n")
    log.flush()
    until(path.exists, "the new file")
    arrives(path, b"2\n")


# --- what goes wrong ------------------------------------------------------------------------


def test_no_place_for_it(path: Path, clock: Clock) -> None:
    """It can't start, for a reason that is told; to stop it is harmless."""
    log = WrittenLog(LogFile(str(path / "below")), clock)
    with pytest.raises(AccessLogFault, match=r"access\.log/below: no such file or directory"):
        log.start()
    stopped(log, clock)


def test_a_pipe_that_nobody_reads(path: Path, clock: Clock, told: list[str]) -> None:
    """Takes no line and stops nobody; what waits is bounded, and what is lost is told seldom."""
    os.mkfifo(path)
    log = WrittenLog(LogFile(str(path)), clock)
    log.start()
    line = b"a" * 1023 + b"\n"
    for _ in range(2 * BACKLOG // len(line)):
        log.write(line)
    clock.advance(BEAT)
    (first,) = told
    assert first == (
        f"access log: {path}: it takes no more for now; lines lost: {BACKLOG // len(line)}"
    )
    log.write(line)
    for _ in range(5):
        clock.advance(BEAT)
    assert told == [first]
    clock.advance(TOLD)
    assert told[1:] == [f"access log: {path}: it takes no more for now; lines lost: 1"]

    with path.open("rb") as reader:
        until(lambda: reader.readline() == line, "the first line")
        threading.Thread(target=reader.read, daemon=True).start()
        stopped(log, clock)
    assert len(told) == 2


def test_stopping_does_not_wait_for_ever(path: Path, clock: Clock, told: list[str]) -> None:
    """What can't be written by then is given up, and that is told."""
    os.mkfifo(path)
    log = WrittenLog(LogFile(str(path)), clock)
    log.start()
    log.write(b"1\n")
    over: Deferred[None] = log.stop(3.0)
    clock.pump([0.02] * 148)
    assert not over.called
    clock.pump([0.02] * 4)
    assert over.called
    assert told == [f"access log: {path}: 2 bytes of lines could not be written in time"]
    assert path.read_bytes() == b"1\n"  # the thread goes on, if the process does


def test_full_disk(clock: Clock, told: list[str]) -> None:
    """Lines are lost, which is told in one; sorryd goes on."""
    log = WrittenLog(LogFile("/dev/full"), clock)
    log.start()
    for _ in range(3):
        log.write(b"1\n2\n")
        log.flush()
    stopped(log, clock)
    assert told == ["access log: /dev/full: no space left on device; lines lost: 6"]


# --- standard output ------------------------------------------------------------------------


def test_standard_output(clock: Clock) -> None:
    """Gets the lines, and nobody closes it."""
    reader, writer = os.pipe()
    log = WrittenLog(Output("standard output", writer), clock)
    log.start()
    log.write(b"1\n")
    log.reopen()
    stopped(log, clock)
    assert os.read(reader, 99) == b"1\n"
    os.write(writer, b"open still")
    for fd in (reader, writer):
        os.close(fd)


def test_standard_output_of_a_daemon(told: list[str]) -> None:
    """There is none: the lines go to its log, whatever is in them."""
    log = access_log("-", Clock(), is_daemon=True)
    assert isinstance(log, LoggedLog)
    log.start()
    log.write(b'192.0.2.7 "{a} %s"\n')
    log.reopen()
    assert log.stop(1.0).called
    assert told == ['192.0.2.7 "{a} %s"']


@pytest.mark.parametrize("is_daemon", [False, True])
def test_which_log(path: Path, is_daemon: bool) -> None:
    """A file is one in any case, and so is standard output where there is one."""
    assert isinstance(access_log(str(path), Clock(), is_daemon), WrittenLog)
    assert isinstance(access_log("-", Clock(), is_daemon=False), WrittenLog)
