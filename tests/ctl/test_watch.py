"""sorryctl watch and history: events as lines, and going on where a connection was lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import HISTORY
from tests.ctl.running import COMMAND, Run

ENTRY: dict[str, Any] = HISTORY["entries"][0]
PHASE = {
    **ENTRY,
    "cursor": 8,
    "author": None,
    "action": "site.phase",
    "reason": "",
    "detail": "live -> draining, by hand",
}


def sent(*events: object, cursor: int = 6) -> bytes:
    """An answer to a subscription, with events behind it."""
    lines: list[dict[str, Any]] = [{"jsonrpc": "2.0", "id": 1, "result": {"cursor": cursor}}]
    lines += ({"jsonrpc": "2.0", "method": "event", "params": event} for event in events)
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@contextmanager
def watching(daemon: FakeDaemon, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """sorryctl watch as a process, ended with Ctrl-C."""
    env = {**os.environ, "SORRYD_SOCKET": str(daemon.path), "TZ": "Asia/Tokyo"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [*COMMAND, "watch", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon that tells of two events, and closes."""
    with FakeDaemon(
        tmp_path / "s", {"events.subscribe": sent({**ENTRY, "cursor": 7}, PHASE)}
    ) as one:
        yield one


def test_lines(daemon: FakeDaemon) -> None:
    """Each event is a line, written at once; a lost connection is said, and gone on from."""
    with watching(daemon, "shop", "--after", "3") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == (
            "2026-11-22 02:00 JST  shop m1  site.down by root: until 05:00: hardware upgrade\n"
        )
        assert process.stdout.readline() == (
            "2026-11-22 02:00 JST  shop m1  site.phase: live -> draining, by hand\n"
        )
        assert process.stderr.readline() == (
            "sorryctl: the daemon closed the connection; waiting for it\n"
        )
        assert process.stderr.readline() == (
            "sorryctl: the daemon is back: going on behind event 6\n"
        )
    assert process.returncode == -signal.SIGINT
    assert daemon.asked[0]["params"] == {"site": "shop", "after": 3}
    assert daemon.asked[1]["params"] == {"site": "shop", "after": 8}


def test_json(daemon: FakeDaemon) -> None:
    """With --json each line is the event alone."""
    with watching(daemon, "--json") as process:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
    assert [json.loads(line)["cursor"] for line in (first, second)] == [7, 8]
    assert "after" not in daemon.asked[0]["params"]


def test_nobody_there(tmp_path: Path) -> None:
    """Where no daemon is there at the start, it is no use waiting: exit status 3."""
    done = subprocess.run(
        [*COMMAND, "--socket", str(tmp_path / "nobody"), "watch"],
        capture_output=True, text=True, timeout=30, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert done.returncode == 3
    assert "no daemon at" in done.stderr


def test_refused(tmp_path: Path) -> None:
    """A cursor that the daemon does not know ends it with exit status 1."""
    with FakeDaemon(tmp_path / "s", {}) as daemon, watching(daemon) as process:
        assert process.wait(30) == 1


def test_history_asked(run: Run, daemon: FakeDaemon) -> None:
    """--since and --all are the daemon's to read."""
    run("history", "shop", "--since", "7d", "--all")
    assert daemon.asked[0]["params"] == {"site": "shop", "since": "7d", "all": True}


def test_history_that_is_cut(run: Run, daemon: FakeDaemon) -> None:
    """Where older lines are left out, that is said on stderr."""
    daemon.results = {"history.list": {"entries": [ENTRY], "more": True}}
    shown = run("history")
    assert "site.down" in shown.stdout
    assert "only the newest 1000 are shown" in shown.stderr
    assert "newest" not in run("history", "--json").stderr
