"""sorryctl top: one picture, lines for scripts, and a live one on a terminal."""

from __future__ import annotations

import copy
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ctl.fake_daemon import FakeDaemon, Later
from tests.ctl.results import NUMBERS
from tests.ctl.running import COMMAND, run
from tests.ctl.shown_top import FLOWS

from sorryd.ctl.page import plain
from sorryd.ctl.top import rate, size, took, top_page


def busy() -> dict[str, Any]:
    """`NUMBERS` after ten requests more, two of them failed, and some bytes."""
    numbers = copy.deepcopy(NUMBERS)
    answered = numbers["sites"][0]["members"][0]["answered"]
    answered["codes"]["2xx"] += 8
    answered["codes"]["5xx"] += 2
    answered["durations"][1] += 10
    answered["sent"] += 1 << 20
    return numbers


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon with ten requests between its first two answers, and none after them."""
    with FakeDaemon(tmp_path / "s", {"numbers.get": Later(NUMBERS, busy())}) as one:
        yield one


def top(daemon: FakeDaemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(*arguments, SORRYD_SOCKET=str(daemon.path), TZ="Asia/Tokyo")


def test_one_picture(daemon: FakeDaemon) -> None:
    """Where the output is no terminal, one is printed, of one interval."""
    done = top(daemon, "top", "shop", "--interval", "100ms")
    assert (done.returncode, done.stderr) == (0, "")
    assert [one["params"] for one in daemon.asked] == [{"site": "shop"}] * 2
    summary, _, site, traffic, head, first, second = done.stdout.splitlines()
    assert "3 connections, 1 of 2 workers, 4 died since the start" in summary
    assert site == "shop: down, by hand, over in 2h10m, next window in 3d"
    assert "2 waiting" in traffic
    assert head.split()[:4] == ["MEMBER", "STATE", "HEALTH", "REQ/S"]
    assert first.split()[:3] == ["http://a", "ready", "up"]
    assert second.split()[:3] == ["http://b", "drain", "resting"]
    assert second.split()[3:] == ["0", "0", "0", "0", "0", "1", "0", "-", "-", "0", "B"]


def test_json_once(daemon: FakeDaemon) -> None:
    """For scripts: the rates as one line."""
    done = top(daemon, "--json", "top", "--once", "--interval", "100ms")
    (line,) = done.stdout.splitlines()
    (site,) = json.loads(line)["sites"]
    assert site["members"][0]["requests"] > site["members"][0]["codes"]["5xx"] > 0


def test_json_lines(daemon: FakeDaemon) -> None:
    """... and as a line for each interval, until it is ended."""
    env = {**os.environ, "SORRYD_SOCKET": str(daemon.path)}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command = [*COMMAND, "top", "--json", "--interval", "100ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.terminate()
    assert lines[0]["sites"][0]["requests"] > lines[1]["sites"][0]["requests"] == 0


@pytest.mark.parametrize("interval", ["0s", "50ms", "2h", "soon", "-1s"])
def test_interval(daemon: FakeDaemon, interval: str) -> None:
    """One that makes no sense is refused, and nobody is asked."""
    done = top(daemon, "top", "--interval", interval)
    assert done.returncode == 2
    assert "a duration from 100ms to 1h" in done.stderr
    assert daemon.asked == []


def test_no_daemon(tmp_path: Path) -> None:
    """It ends as all commands do."""
    done = run("top", SORRYD_SOCKET=str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (3, "")


def test_senseless_answer(tmp_path: Path) -> None:
    """An answer of another version is told as such."""
    with FakeDaemon(tmp_path / "s", {"numbers.get": {"sites": 7}}) as daemon:
        done = top(daemon, "top", "--once", "--interval", "100ms")
    assert done.returncode == 3
    assert "makes no sense" in done.stderr


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-C"])
def test_live(daemon: FakeDaemon, key: bytes) -> None:
    """On a terminal it is drawn again and again, on a screen of its own that is left at the end."""
    child, terminal = pty.fork()
    if not child:
        os.environ |= {"SORRYD_SOCKET": str(daemon.path), "TERM": "xterm", "COLUMNS": "120"}
        os.environ |= {"LINES": "24", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        os.execv(sys.executable, [*COMMAND, "top", "--interval", "100ms"])
    out, end, pressed = b"", time.monotonic() + 30, False
    while time.monotonic() < end and b"\x1b[?1049l" not in out:
        if select.select([terminal], [], [], 1)[0]:
            try:
                out += os.read(terminal, 65536)
            except OSError:  # the terminal is gone with it
                break
        if out.count(b"REQ/S") > 2 and not pressed:
            pressed = True
            os.write(terminal, key)
    assert os.waitpid(child, 0)[1] == 0
    os.close(terminal)
    assert b"\x1b[?1049h" in out
    assert b"\x1b[?1049l" in out
    assert b"http://a" in out


def test_picture_of_the_documents() -> None:
    """docs/sorryctl.md shows what is printed."""
    text = (Path(__file__).parents[2] / "docs" / "sorryctl.md").read_text()
    assert f"```text\n{plain(top_page(FLOWS))}```" in text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (rate(0), "0"),
        (rate(0.04), "0"),
        (rate(0.5), "0.5"),
        (rate(9.96), "10"),
        (rate(1234.4), "1234"),
        (size(0), "0 B"),
        (size(1023), "1023 B"),
        (size(1536), "1.5 KiB"),
        (size(3 << 30), "3.0 GiB"),
        (took(None), "-"),
        (took(0.0004), "0.4 ms"),
        (took(0.0124), "12 ms"),
        (took(1.25), "1.2 s"),
    ],
)
def test_words(shown: str, text: str) -> None:
    """Numbers have as many digits as tell something."""
    assert shown == text
