"""sorryctl as a process: exit codes, endings without a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import STATUS
from tests.ctl.running import COMMAND, run


def test_done(daemon: FakeDaemon) -> None:
    """A command that is done exits 0 with its result on stdout and nothing on stderr."""
    outcome = run("--socket", str(daemon.path), "status", "--json")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout) == STATUS


def test_refused(tmp_path: Path) -> None:
    """A refusal exits 1, with the daemon's reason in one line on stderr."""
    with FakeDaemon(tmp_path / "s", {}) as daemon:
        outcome = run("up", "nosuch", SORRYD_SOCKET=str(daemon.path))
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == "sorryctl: nosuch: there is no such site\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "sorryctl: there is no command nosuch; see sorryctl --help\n"),
        (
            ["staus"],
            "sorryctl: there is no command staus, did you mean status; see sorryctl --help\n",
        ),
        (["show"], "sorryctl: Missing argument 'ID'; see sorryctl show --help\n"),
        (
            ["down", "--for", "1h", "--until", "2"],
            "sorryctl: --until and --for exclude each other; see sorryctl down --help\n",
        ),
    ],
)
def test_wrong_use(arguments: list[str], said: str) -> None:
    """Wrong usage exits 2, and says in one line where to read on."""
    outcome = run(*arguments)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (2, "", said)


def test_no_command() -> None:
    """Without a command it shows the help, and exits 2."""
    outcome = run()
    assert outcome.returncode == 2
    assert "is-down" in outcome.stderr


def test_control_c(tmp_path: Path) -> None:
    """Ctrl-C while it waits ends it by that signal, silently."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        command = [*COMMAND, "status", "--socket", str(tmp_path / "s")]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            connection, _ = silent.accept()  # so it waits for its answer now
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
            connection.close()
    assert (process.returncode, said) == (-signal.SIGINT, b"")


def test_closed_pipe(daemon: FakeDaemon) -> None:
    """A reader that leaves, such as head, ends it silently."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "windows", "--socket", str(daemon.path)]
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (-signal.SIGPIPE, b"")


def test_full_disk(daemon: FakeDaemon) -> None:
    """A result that can't be written is an error of its own, in one line."""
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "windows", "--socket", str(daemon.path)]
        outcome = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert outcome.returncode == 74
    assert outcome.stderr == b"sorryctl: can't write the result: No space left on device\n"
