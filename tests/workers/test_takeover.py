"""Listening sockets go from workers that are alone to a new control process."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.workers.turning import Turning
from twisted.logger import capturedLogs, formatEvent

from sorryd.model import Listen
from sorryd.workers import handover, takeover
from sorryd.workers.frames import head_of
from sorryd.workers.handing import (
    Attended,
    Listening,
    Taken,
)
from sorryd.workers.handover import Handover, Offer, folder_of
from sorryd.workers.takeover import Left, take


class Worker:
    """A worker that listens at `count` addresses; it writes down what it is told."""

    def __init__(self, town: Town, pid: int, began: float, count: int = 1) -> None:
        self.socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        self.ports = [sock.getsockname()[1] for sock in self.socks]
        self.told: list[object] = []
        self.began = began
        self.control: list[int] = []  # what it says of it, one after the other
        self.handover = Handover(town.turning.reactor, self)
        self.handover.open(str(town.state))
        ours = town.folder / str(os.getpid())
        ours.rename(town.folder / str(pid))  # many workers of one process

    def offer(self) -> Offer:
        if self.control:
            return Offer(Attended(control=self.control.pop(0)))
        sockets = tuple(
            Listening(listen=Listen(host="127.0.0.1", port=port), sites=("shop",))
            for port in self.ports
        )
        answer = Taken(began=self.began, sockets=sockets)
        return Offer(answer, [sock.fileno() for sock in self.socks])

    def heed(self, snapshot: bytes) -> None:
        self.told.append(("heed", snapshot))

    def retire(self, limit: float) -> None:
        self.told.append(("retire", limit))

    def stop(self, limit: float) -> None:
        self.told.append(("stop", limit))

    def hurry(self) -> None:
        self.told.append("hurry")

    def end(self) -> None:
        self.handover.close()
        for sock in self.socks:
            sock.close()


class Town:
    """Workers around one journal."""

    def __init__(self, turning: Turning, folder: Path) -> None:
        self.turning = turning
        self.state = folder / "sorryd.db"
        self.folder = Path(folder_of(str(self.state)))
        self._workers: list[Worker] = []
        self._left: list[Left] = []
        self._threads = ThreadPoolExecutor(1)

    def worker(self, pid: int, began: float = 1.0, count: int = 1) -> Worker:
        self._workers.append(Worker(self, pid, began, count))
        return self._workers[-1]

    def take(self) -> list[Left]:
        """What a new control process gets, which is another process to the workers."""
        taking = self._threads.submit(take, str(self.state))
        self.turning.until(taking.done)
        found = taking.result()
        self._left += found
        return found

    def end(self) -> None:
        for worker in self._workers:
            worker.end()
        for one in self._left:
            one.drop()
        self._threads.shutdown()


@pytest.fixture
def town(turning: Turning, tmp_path: Path) -> Iterator[Town]:
    town = Town(turning, tmp_path)
    yield town
    town.end()


def ports(left: Left) -> list[int]:
    return [sock.getsockname()[1] for _, sock in left.sockets]


def test_nobody(town: Town) -> None:
    """Where there never was a worker, there is nothing to take."""
    assert town.take() == []


def test_sockets_are_taken(town: Town) -> None:
    """All workers that are alone hand over what they listen at; the newest comes first."""
    old, new = town.worker(11, began=1.0, count=3), town.worker(12, began=2.0)
    found = town.take()
    assert [ports(one) for one in found] == [new.ports, old.ports]
    assert [one.began for one in found] == [2.0, 1.0]
    for one in old, new:
        for sock in one.socks:
            sock.close()  # who was taken from is gone
    for port in (*old.ports, *new.ports):
        socket.create_connection(("127.0.0.1", port)).close()
    assert [sock.get_inheritable() for one in found for _, sock in one.sockets] == [False] * 4


def test_who_has_a_control_process(town: Town) -> None:
    """A worker whose control process lives is left alone."""
    town.worker(11).control += [os.getppid()]
    orphan = town.worker(12)
    assert [ports(one) for one in town.take()] == [orphan.ports]


def test_who_has_not_noticed(town: Town) -> None:
    """One that has not seen yet that its control process is gone, or became us, is asked again."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    late = town.worker(11)
    late.control += [os.getpid(), gone.pid]
    assert [ports(one) for one in town.take()] == [late.ports]


def test_file_that_nobody_answers_at(town: Town) -> None:
    """The file of a worker that was killed is removed; what is none is left."""
    worker = town.worker(11)
    (town.folder / "notes").touch()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(town.folder / "12"))
    assert [ports(one) for one in town.take()] == [worker.ports]
    assert sorted(os.listdir(town.folder)) == ["11", "notes"]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (head_of(b"\xc1", 0) + b"\xc1", "what it says is not understood: MessagePack data is"),
        (head_of(b"x", 3), "it does not answer within 0.2 s"),
    ],
)
def test_who_does_not_answer(
    town: Town, monkeypatch: pytest.MonkeyPatch, says: bytes, why: str
) -> None:
    """One that hangs, or speaks otherwise, is passed over, with a word in the log."""
    monkeypatch.setattr(takeover, "PATIENCE", 0.2)
    worker = town.worker(11)
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(town.folder / "12"))
        hung.listen()
        answering = town._threads.submit(_answer, hung, says)
        town._threads = ThreadPoolExecutor(1)
        with capturedLogs() as log:
            assert [ports(one) for one in town.take()] == [worker.ports]
        assert formatEvent(log[0]).startswith(f"worker {os.getpid()} is passed over: {why}")
        answering.result().close()


def test_who_hangs(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is stopped gives no sockets, and is among those who are told to go: it may wake up,
    and would serve for ever by what was so."""
    monkeypatch.setattr(takeover, "PATIENCE", 0.2)
    worker = town.worker(11)
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(town.folder / "12"))
        hung.listen()
        with capturedLogs() as log:
            found = town.take()
        assert [ports(one) for one in found] == [worker.ports, []]
        assert formatEvent(log[0]).startswith(f"worker {os.getpid()} does not answer within 0.2 s")


def _answer(hung: socket.socket, says: bytes) -> socket.socket:
    sock, _ = hung.accept()
    sock.send(says)
    return sock


def test_no_descriptor_to_answer_with(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks just then gets nothing, and who asks later gets all."""
    refused: list[object] = []

    def refuse(reactor: object, sock: socket.socket, *_: object) -> None:
        refused.append(sock)
        sock.close()
        raise OSError(24, "Too many open files")

    town.worker(101)
    with monkeypatch.context() as patch:
        patch.setattr(handover, "open_channel", refuse)
        assert town.take() == []
    assert len(refused) == 1
    assert [one.sockets != () for one in town.take()] == [True]
