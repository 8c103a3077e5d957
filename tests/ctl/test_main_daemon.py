"""sorryctl as a process, and daemons that are odd, slow or not there."""

from __future__ import annotations

import grp
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import STATUS
from tests.ctl.running import COMMAND, RUN, run

ANSWERS: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "closed the connection before it had answered"),
    ("half an answer", b'{"jsonrpc":"2.0","id":1,"result":{}', "before it had answered"),
    ("no JSON", b"HTTP/1.1 400 Bad Request\r\n", "is not sorryd"),
    ("no UTF-8", b"\xff\xff\n", "is not sorryd"),
    ("a list", b"[]\n", "is not sorryd"),
    ("deep", b"[" * 100_000 + b"\n", "is not sorryd"),
    ("neither", b'{"jsonrpc":"2.0","id":1}\n', "is not sorryd"),
    ("an odd error", b'{"jsonrpc":"2.0","id":1,"error":5}\n', "is not sorryd"),
    ("another shape", b'{"jsonrpc":"2.0","id":1,"result":{}}\n', "makes no sense"),
    ("null", b'{"jsonrpc":"2.0","id":1,"result":null}\n', "makes no sense"),
    ("bad times", b'{"jsonrpc":"2.0","id":1,"result":{"now":"x","sites":[]}}\n', "no sense"),
]


@pytest.mark.parametrize(
    ("answer", "said"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_broken_answers(tmp_path: Path, answer: bytes, said: str) -> None:
    """Whatever answers in place of sorryd: exit 3, and one line that says so."""
    with FakeDaemon(tmp_path / "s", {"status": answer}) as daemon:
        outcome = run("status", SORRYD_SOCKET=str(daemon.path))
    assert (outcome.returncode, outcome.stdout) == (3, "")
    assert said in outcome.stderr
    assert outcome.stderr.startswith("sorryctl: ")
    assert outcome.stderr.count("\n") == 1


def test_is_down_of_another_shape(tmp_path: Path) -> None:
    """is-down never takes an answer that it does not understand for a yes or a no."""
    with FakeDaemon(tmp_path / "s", {"status": {"sites": 5}}) as daemon:
        outcome = run("is-down", SORRYD_SOCKET=str(daemon.path))
    assert outcome.returncode == 3


def test_nobody_there(tmp_path: Path) -> None:
    """Without a daemon it exits 3 and says how to start one."""
    missing = run("is-down", "--socket", str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "s"))
    refused = run("is-down", "--socket", str(tmp_path / "s"))
    long = run("is-down", "--socket", "x" * 200)
    assert [missing.returncode, refused.returncode, long.returncode] == [3, 3, 3]
    assert "no daemon at " in missing.stderr
    assert "no daemon listens at " in refused.stderr
    assert "AF_UNIX path too long" in long.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may connect to every socket")
def test_no_permission(daemon: FakeDaemon) -> None:
    """A socket that one may not connect to: exit 3, and who may."""
    daemon.path.chmod(0)
    outcome = run("status", "--socket", str(daemon.path))
    assert outcome.returncode == 3
    group = grp.getgrgid(daemon.path.stat().st_gid).gr_name
    assert f"that is for root and the group {group}" in outcome.stderr


def test_daemon_that_says_nothing(tmp_path: Path) -> None:
    """It gives up in time on a daemon that accepts and says nothing."""
    code = f"import sorryd.ctl.client as c; c.ANSWER_WITHIN = 0.1; {RUN}"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        outcome = run("status", "--socket", str(tmp_path / "s"), code=code)
    assert outcome.returncode == 3
    assert "no answer within" in outcome.stderr


def test_full_backlog(tmp_path: Path) -> None:
    """It waits its turn where others wait to be accepted, and gives up in time."""
    code = f"import sorryd.ctl.client as c; c.ANSWER_WITHIN = 0.1; {RUN}"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(tmp_path / "s"))
        busy.listen(0)
        first.connect(str(tmp_path / "s"))
        outcome = run("is-down", "--socket", str(tmp_path / "s"), code=code)
    assert outcome.returncode == 3
    assert "no answer within" in outcome.stderr


def test_slow_answer_in_pieces(tmp_path: Path) -> None:
    """An answer that comes in pieces is put together."""
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": STATUS}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        command = [*COMMAND, "--json", "status", "--socket", str(tmp_path / "s")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)  # closed with the request unread, the socket would reset
                for start in range(0, len(answer), 400):
                    connection.sendall(answer[start : start + 400])
            shown, _ = process.communicate(timeout=10)
    assert json.loads(shown) == STATUS
