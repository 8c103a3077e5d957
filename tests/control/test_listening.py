"""The control socket as a file, on real reactors in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sorryd.control.listening import ControlSocketError, control_gid

PROGRAM = Path(__file__).with_name("control_process.py")
QUESTION = b'{"jsonrpc":"2.0","id":1,"method":"daemon.version"}\n'
REACTORS = ["epoll"]
with contextlib.suppress(ImportError):
    import uvloop  # noqa: F401

    REACTORS.append("uvloop")

on_every_reactor = pytest.mark.parametrize("start", REACTORS, indirect=True)

Start = Callable[..., "Process"]


class Process:
    """A control_process; `said` is its first line."""

    def __init__(self, reactor: str, path: Path, mode: str, group: str) -> None:
        command = [sys.executable, str(PROGRAM), reactor, str(path), mode, group]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; its exit code."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        with self.process.stdout:
            return self.process.wait(10)


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts control processes, on epoll unless parametrized, and ends them."""
    reactor = getattr(request, "param", "epoll")
    started: list[Process] = []

    def begin(path: Path, mode: str = "660", group: str = "") -> Process:
        started.append(Process(reactor, path, mode, group))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)
        assert one.process.stdout is not None
        one.process.stdout.close()


def ask(path: Path, data: bytes = QUESTION, half_close: bool = True) -> list[dict[str, Any]]:
    """All answers to `data`, until the daemon closes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as lines:
            return [json.loads(line) for line in lines]


@on_every_reactor
def test_answers_and_goes(tmp_path: Path, start: Start) -> None:
    """It makes its folder, answers a half-closed client by its kernel's name, and tidies up."""
    path = tmp_path / "made" / "too" / "control.sock"
    daemon = start(path)
    assert daemon.said == "ready"
    (answer,) = ask(path)
    assert answer["result"]["version"] == str(os.geteuid())
    assert answer["result"]["twisted"] == str(os.getpid())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o755
    assert daemon.end() == 0
    assert not path.exists()


@on_every_reactor
def test_unfinished_line_before_half_close(tmp_path: Path, start: Start) -> None:
    """What printf without a line's end sends through nc -U is answered."""
    path = tmp_path / "control.sock"
    start(path)
    assert [one["id"] for one in ask(path, QUESTION + QUESTION.rstrip())] == [1, 1]


@on_every_reactor
def test_big_answers(tmp_path: Path, start: Start) -> None:
    """Answers larger than the kernel's buffers arrive whole and in order."""
    path = tmp_path / "control.sock"
    start(path)
    big = QUESTION.replace(b"daemon.version", b"site.up")
    answers = ask(path, b"".join(big.replace(b":1,", b":%d," % n) for n in range(20)))
    assert [one["id"] for one in answers] == list(range(20))
    assert {len(one["result"]["twisted"]) for one in answers} == {1_000_000}


@on_every_reactor
def test_too_long_a_line(tmp_path: Path, start: Start) -> None:
    """A client that sends a line without end reads the error object before the end."""
    path = tmp_path / "control.sock"
    start(path)
    (answer,) = ask(path, b"x" * 1_048_577, half_close=False)
    assert answer["error"]["code"] == -32600
    assert ask(path)[0]["id"] == 1


@pytest.mark.parametrize("mode", ["660", "600", "666"])
def test_mode_and_group(tmp_path: Path, start: Start, mode: str) -> None:
    """The socket has just the mode and the group of the configuration, whatever the umask."""
    path = tmp_path / "control.sock"
    assert start(path, mode, str(os.getgid())).said == "ready"
    status = path.stat()
    assert oct(stat.S_IMODE(status.st_mode)) == oct(int(mode, 8))
    assert status.st_gid == os.getgid()


def test_in_use(tmp_path: Path, start: Start) -> None:
    """A socket on which a daemon answers is left to it."""
    path = tmp_path / "control.sock"
    start(path)
    second = start(path)
    assert second.said.startswith("ControlSocketInUse: ")
    assert "another daemon answers there" in second.said
    assert ask(path)[0]["id"] == 1


def test_in_use_by_one_that_is_busy(tmp_path: Path, start: Start) -> None:
    """A daemon that accepts nobody for the moment, with its backlog full, lives all the same."""
    path = tmp_path / "control.sock"
    busy = start(path)
    busy.process.send_signal(signal.SIGSTOP)
    with contextlib.ExitStack() as waiting, contextlib.suppress(BlockingIOError):
        while True:
            connection = waiting.enter_context(socket.socket(socket.AF_UNIX))
            connection.setblocking(False)
            connection.connect(str(path))
    assert "another daemon answers there" in start(path).said


def test_stale(tmp_path: Path, start: Start) -> None:
    """The socket file of a daemon that was killed is replaced."""
    path = tmp_path / "control.sock"
    start(path).end(signal.SIGKILL)
    assert path.exists()
    assert start(path).said == "ready"
    assert ask(path)[0]["id"] == 1


def test_no_socket(tmp_path: Path, start: Start) -> None:
    """Something else at the path is never removed."""
    path = tmp_path / "control.sock"
    path.write_text("precious")
    assert "something that is no socket" in start(path).said
    assert path.read_text() == "precious"


def test_replaced_meanwhile(tmp_path: Path, start: Start) -> None:
    """At the end it removes only its own file: another's stays, a missing one is no error."""
    path = tmp_path / "control.sock"
    first = start(path)
    path.unlink()
    second = start(path)
    assert first.end() == 0
    assert ask(path)[0]["id"] == 1
    path.unlink()
    assert second.end() == 0


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x" * 200, "AF_UNIX path too long"),
        ("file/control.sock", "Not a directory"),
    ],
    ids=["long", "file as folder"],
)
def test_impossible_paths(tmp_path: Path, start: Start, path: str, text: str) -> None:
    """A path where no socket can be is refused in one line that names it."""
    (tmp_path / "file").touch()
    said = start(tmp_path / path).said
    assert said.startswith(f"ControlSocketError: control socket {tmp_path}")
    assert text in said


def test_control_gid() -> None:
    """The control group is given by name or number; left out it is the daemon's."""
    assert control_gid(None) == os.getegid()
    assert control_gid("12345") == 12345
    assert control_gid("root") == 0
    with pytest.raises(ControlSocketError, match="control_group: there is no group 'nosuch'"):
        control_gid("nosuch")
