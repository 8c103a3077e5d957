"""Shell completion, asked by real shells where they are installed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import MEMBER, RESULTS, SITE, STATUS
from tests.ctl.running import RUN, run

OTHER = {**MEMBER, "url": "http://10.0.0.12:3000"}
SITES = [{**SITE, "members": [MEMBER, OTHER]}, {**SITE, "name": "wiki", "members": [MEMBER]}]

LINES: list[tuple[str, set[str]]] = [
    ("up ", {"shop", "wiki"}),
    ("down sh", {"shop"}),
    ("extend ", {"db"}),
    ("drain http://10.0.0.12", {"http://10.0.0.12:3000"}),
    ("drain shop/", {"shop/http://10.0.0.11:3000", "shop/http://10.0.0.12:3000"}),
    ("drain wiki/http://10.0.0.11:", {"wiki/http://10.0.0.11:3000"}),
    ("--json up wi", {"wiki"}),
    ("relo", {"reload"}),
    ("schedule --timez", {"--timezone"}),
    ("schedule --timezone Asia/Toky", {"Asia/Tokyo"}),
    ("completion f", {"fish"}),
    ("up nosuch", set()),
]


def needs(shell: str) -> pytest.MarkDecorator:
    """Skip where `shell` is not installed."""
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@pytest.fixture
def env(daemon: FakeDaemon, tmp_path: Path) -> dict[str, str]:
    """The environment of a shell that finds sorryctl, and by that a daemon with two sites."""
    daemon.results = {**RESULTS, "status": {**STATUS, "sites": SITES}}
    program = tmp_path / "bin" / "sorryctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{RUN}' \"$@\"\n")
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "SORRYD_SOCKET": str(daemon.path),
        "HOME": str(tmp_path),
        "TERM": "dumb",
    }


def said(shell: str, code: str, env: dict[str, str]) -> str:
    """What `shell` prints, and nothing on stderr."""
    done = subprocess.run(
        [shell, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


@needs("bash")
def test_bash(env: dict[str, str]) -> None:
    """bash gets what it puts after its last word break, which a colon is."""
    code = 'eval "$(sorryctl completion bash)"\n'
    for line, _ in LINES:
        code += (
            f"COMP_LINE='sorryctl {line}'; COMP_POINT=${{#COMP_LINE}}\n"
            '_sorryctl_completion sorryctl; echo "${COMPREPLY[*]}"\n'
        )
    answers = said("bash", code, env).splitlines()
    for (line, expected), answer in zip(LINES, answers, strict=True):
        begun = line.rpartition(" ")[2]
        known = begun[: begun.rfind(":") + 1]
        assert {known + one for one in answer.split()} == expected, line


@needs("fish")
def test_fish(env: dict[str, str]) -> None:
    """fish gets whole words, with a word on each."""
    code = "sorryctl completion fish | source\n"
    for line, _ in LINES:
        code += f"complete -C 'sorryctl {line}'; echo ==\n"
    answers = said("fish", code, env).split("==\n")
    for (line, expected), answer in zip(LINES, answers[:-1], strict=True):
        options = [one for one in answer.splitlines() if one]
        assert {one.partition("\t")[0] for one in options} == expected, line
    assert "shop\tdown\n" in answers[0]


@needs("zsh")
def test_zsh(env: dict[str, str]) -> None:
    """zsh, in a terminal, completes a site, and a URL with its colons."""
    with_prompt = {**env, "PS1": "ready> "}
    ours, theirs = pty.openpty()
    words = ["zsh", "-f", "-i"]
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=with_prompt) as it:
        os.close(theirs)
        try:
            start = b'autoload -Uz compinit; compinit -u -D; eval "$(sorryctl completion zsh)"'
            type_(ours, start + b"; print go$((1+1))\n", "go2")
            type_(ours, b"sorryctl down sh\t", "down shop")
            type_(ours, b"\x15sorryctl drain http://10.0.0.12\t", "http://10.0.0.12:3000")
        finally:
            it.kill()
    os.close(ours)


def type_(terminal: int, text: bytes, shown: str) -> None:
    """Type `text`, and wait until `shown` is to be read."""
    os.write(terminal, text)
    deadline = time.monotonic() + 30
    read = ""
    while shown not in read:
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], read
        read += os.read(terminal, 65536).decode()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("there", [False, True], ids=["no daemon", "one that says nothing"])
def test_silent_without_a_daemon(tmp_path: Path, shell: str, there: bool) -> None:
    """Without a daemon that answers, nothing is offered and nothing is said, soon."""
    with socket.socket(socket.AF_UNIX) as silent:
        if there:
            silent.bind(str(tmp_path / "s"))
            silent.listen()
        began = time.monotonic()
        done = run(
            SORRYCTL_LINE="sorryctl up ",
            COMP_WORDS="sorryctl up ",
            COMP_CWORD="" if shell == "fish" else "2",
            _SORRYCTL_COMPLETE=f"{shell}_complete",
            SORRYD_SOCKET=str(tmp_path / "s"),
        )
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert time.monotonic() - began < 15  # an answer would be waited for for 30 s


def test_senseless_daemon(daemon: FakeDaemon) -> None:
    """An answer that makes no sense offers nothing, and says nothing."""
    daemon.results = {"status": {"sites": [{}]}}
    done = run(
        SORRYCTL_LINE="sorryctl up ",
        _SORRYCTL_COMPLETE="bash_complete",
        SORRYD_SOCKET=str(daemon.path),
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_no_other_shell() -> None:
    """Of another shell it says which there are."""
    done = run("completion", "tcsh")
    assert done.returncode == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr
