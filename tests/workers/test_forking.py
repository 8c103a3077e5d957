"""The fork server and what it forks, with real processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.processes import is_alive
from tests.workers.turning import PATIENCE, Turning
from twisted.logger import capturedLogs, formatEvent

from sorryd.workers import forking
from sorryd.workers.forking import Forks

WORKER = """
import json, os, signal, socket, sys
from sorryd.workers import fork_server

def told():
    with open("/proc/self/comm") as comm:
        name = comm.read().strip()
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD
    return json.dumps({
        "pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0), "name": name,
        "fds": [fd for fd in range(3, 1000) if os.path.exists(f"/proc/self/fd/{fd}")],
        "ignored": [n for n in numbers if signal.getsignal(n) is signal.SIG_IGN],
        "wakeup": signal.set_wakeup_fd(-1),
    })

def run(fd):
    sock = socket.socket(fileno=fd)
    while said := sock.recv(1000):
        if said == b"who":
            sock.send(told().encode())
        elif said == b"raise":
            raise ValueError("a bug in a worker")
        elif said == b"exit":
            print("its last word")
            sys.exit(3)
        else:
            sock.send(said)

fork_server.serve(int(sys.argv[-1]), run)
"""


class Told(msgspec.Struct):
    """What a worker tells of itself."""

    pid: int
    parent: int
    session: int
    name: str
    fds: list[int]
    ignored: list[int]
    wakeup: int


class Town:
    """Forks of small workers, which echo."""

    def __init__(self, turning: Turning) -> None:
        self.turning = turning
        self.forks = Forks(turning.reactor, ("-c", WORKER))

    def server(self) -> int:
        """The pid of the fork server."""
        assert self.forks._server is not None
        return self.forks._server._process.pid

    def end(self) -> None:
        over: list[None] = []
        self.forks.stop().addCallback(over.append)
        self.turning.until(lambda: over)


@pytest.fixture
def town(turning: Turning) -> Iterator[Town]:
    town = Town(turning)
    yield town
    town.end()


def ask(sock: socket.socket, what: bytes) -> bytes:
    """Say `what` to a worker; its answer, b"" where it is gone."""
    sock.settimeout(PATIENCE)
    try:
        sock.send(what)
        return sock.recv(1000)
    except ConnectionError:
        return b""


def who(sock: socket.socket) -> Told:
    return msgspec.json.decode(ask(sock, b"who"), type=Told)


def test_worker_answers(town: Town) -> None:
    """A forked worker is at the other end of the channel, and ends with it."""
    with town.forks.fork() as one, town.forks.fork() as other:
        assert ask(one, b"good") == b"good"
        assert ask(other, b"day") == b"day"


def test_what_a_worker_has(town: Town) -> None:
    """It has a name, and its own end of the channel; nothing of the server or the daemon."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    with town.forks.fork() as one, town.forks.fork() as other:
        ask(one, b"hello")
        told = who(other)
        assert told.name == "sorryd-worker"
        assert told.parent == told.session == town.server()
        assert len(told.fds) == 1
        assert told.ignored == []
        assert told.wakeup == -1
    os.close(read)
    os.close(write)


def test_signals_of_the_terminal(town: Town) -> None:
    """Who interrupts or hangs up the daemon's session does not end the server."""
    with town.forks.fork() as one:
        before = who(one)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.kill(before.parent, number)
    with town.forks.fork() as one:
        assert who(one).parent == before.parent


def test_workers_go_on_without_server(town: Town) -> None:
    """When the server is killed, its workers stay, and the next one is forked by another server."""
    with town.forks.fork() as one:
        before = who(one)
        os.kill(before.parent, signal.SIGKILL)
        town.turning.until(lambda: not is_alive(before.parent))
        with town.forks.fork() as other:
            told = who(other)
            assert ask(one, b"still here") == b"still here"
            assert told.parent not in (before.parent, os.getpid())


def test_server_is_started_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ended is replaced without being needed, and leaves no zombie."""
    monkeypatch.setattr(forking, "PAUSE", 0.01)
    with town.forks.fork() as one:
        before = who(one).parent
    os.kill(before, signal.SIGKILL)
    town.turning.until(lambda: town.forks._server is not None and town.server() != before)
    town.turning.until(lambda: not is_child(before))


def test_daemon_is_gone(town: Town) -> None:
    """The server ends with the control process; workers stay until their channel ends."""
    with town.forks.fork() as one:
        told = who(one)
        town.end()
        assert not is_child(told.parent)
        assert ask(one, b"still here") == b"still here"
    town.turning.until(lambda: not is_alive(told.pid))


def test_ends_of_workers(capfd: pytest.CaptureFixture[str], town: Town) -> None:
    """How a worker ended is logged; its last words are not lost, nor the trace of a bug."""
    with capturedLogs() as log:
        workers = [town.forks.fork() for _ in range(4)]
        pids = [who(one).pid for one in workers]
        assert ask(workers[0], b"raise") == b""
        assert ask(workers[1], b"exit") == b""
        os.kill(pids[2], signal.SIGKILL)
        for one in workers:
            one.close()
        town.turning.until(lambda: len(log) == 3 and not is_alive(pids[3]))
    assert sorted(map(formatEvent, log)) == sorted(
        (
            f"worker process {pids[0]} ended with status 1",
            f"worker process {pids[1]} ended with status 3",
            f"worker process {pids[2]} was killed by SIGKILL",
        )
    )
    output = capfd.readouterr()
    assert output.out == "its last word\n"
    assert "ValueError: a bug in a worker" in output.err


CHILDLESS = """
import errno, os

def fork():
    raise OSError(errno.EAGAIN, "no")

os.fork = fork
"""


def test_no_fork(turning: Turning) -> None:
    """Where the kernel gives no process, the channel ends at once, and the log says why."""
    with capturedLogs() as log:
        forks = Forks(turning.reactor, ("-c", CHILDLESS + WORKER))
        with forks.fork() as one:
            assert ask(one, b"hello") == b""
        turning.until(lambda: log)
        over: list[None] = []
        forks.stop().addCallback(over.append)
        turning.until(lambda: over)
    assert [formatEvent(event) for event in log] == [
        "no worker can be forked: resource temporarily unavailable"
    ]


@pytest.mark.parametrize("executable", ["/nowhere/python", sys.executable])
def test_no_server(turning: Turning, monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    """Where no server can run, the channel ends at once, the log says it, and nothing is left."""
    monkeypatch.setattr(sys, "executable", executable)
    with capturedLogs() as log:
        forks = Forks(turning.reactor, ("-c", "raise SystemExit(4)"))
        with forks.fork() as one:
            assert ask(one, b"hello") == b""
        turning.until(lambda: log)
        over: list[None] = []
        forks.stop().addCallback(over.append)
        turning.until(lambda: over)
    assert formatEvent(log[0]) in (
        "no fork server can be started: No such file or directory",
        "the fork server has ended with status 4",
    )


def is_child(pid: int) -> bool:
    """Whether there is such a process, be it a zombie, that is ours."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return int(stat.rpartition(") ")[2].split()[1]) == os.getpid()
