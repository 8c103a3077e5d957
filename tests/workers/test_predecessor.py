"""What a new control process tells those that another one has left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.workers.turning import Turning
from twisted.logger import capturedLogs, formatEvent

from sorryd.snapshot import Snapshot
from sorryd.workers import predecessor
from sorryd.workers.handing import Taken
from sorryd.workers.handover import Handover, Offer, folder_of
from sorryd.workers.predecessor import Predecessor
from sorryd.workers.takeover import Left


class Orphan:
    """A worker that is alone; it writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[int] = []  # serials

    def offer(self) -> Offer:
        return Offer(Taken(began=1.0, sockets=()))

    def heed(self, snapshot: bytes) -> None:
        self.heard.append(msgspec.msgpack.decode(snapshot, type=Snapshot).serial)

    def retire(self, limit: float) -> None:
        raise AssertionError

    stop = retire

    def hurry(self) -> None:
        raise AssertionError


@pytest.fixture
def orphan(turning: Turning, tmp_path: Path) -> Iterator[Orphan]:
    orphan = Orphan()
    handover = Handover(turning.reactor, orphan)
    handover.open(str(tmp_path / "db"))
    yield orphan
    handover.close()


def left(folder: Path, pid: int) -> Left:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(Path(folder_of(str(folder / "db"))) / str(os.getpid())))
    return Left(pid, sock, 1.0, ())


def snapshot(serial: int) -> Snapshot:
    return Snapshot(serial=serial, sites=())


def test_what_is_so_now(turning: Turning, orphan: Orphan, tmp_path: Path) -> None:
    """It is in force when the worker has said so; of many in a row the newest one counts."""
    old = Predecessor(turning.reactor, left(tmp_path, os.getpid()), str(tmp_path / "db"))
    assert old.settled().called  # it was told nothing
    old.apply(snapshot(1))
    first = old.settled()
    old.apply(snapshot(2))
    old.apply(snapshot(3))
    last = old.settled()
    assert not first.called
    turning.until(lambda: last.called)
    assert first.called
    assert orphan.heard == [1, 3]
    assert old.settled().called
    old.apply(snapshot(4))
    gone = old.settled()
    old._channel.close()
    turning.until(lambda: gone.called)


def test_one_that_can_not_be_killed(turning: Turning, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's is not waited for, and the log says so: no command may hang for it."""

    def refuse(fd: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(predecessor, "PATIENCE", 0.05)
    monkeypatch.setattr(predecessor, "DYING", 0.05)
    monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
    ours, theirs = socket.socketpair()
    old = Predecessor(turning.reactor, Left(os.getpid(), ours, 1.0, ()), "nowhere.db")
    old.apply(snapshot(1))
    settled = old.settled()
    with theirs, capturedLogs() as log:
        turning.until(lambda: settled.called)
    assert [formatEvent(event) for event in log] == [
        f"old worker {os.getpid()} does not do as it is told, and is killed",
        f"old worker {os.getpid()} can't be killed: it is another user's",
        f"old worker {os.getpid()} has ended",
    ]


def test_one_that_does_not_hear(
    turning: Turning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might serve by what is not so any more: it is killed."""
    monkeypatch.setattr(predecessor, "PATIENCE", 0.05)
    ours, theirs = socket.socketpair()
    deaf = subprocess.Popen(["sleep", "60"])
    folder = tmp_path / "db.workers"
    folder.mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as its:
        its.bind(str(folder / str(deaf.pid)))
    old = Predecessor(turning.reactor, Left(deaf.pid, ours, 1.0, ()), str(tmp_path / "db"))
    old.apply(snapshot(1))
    settled = old.settled()
    turning.until(lambda: deaf.poll() is not None)
    theirs.close()
    turning.until(lambda: settled.called)
    assert os.listdir(folder) == []
