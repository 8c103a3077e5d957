"""sorryctl watch on a real daemon: no event is missed, whatever becomes of the daemon."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.end_to_end.daemon import NOBODY, SORRYCTL, Daemon, configuration


def watching(daemon: Daemon, *arguments: str) -> subprocess.Popen[str]:
    """sorryctl watch, as a process."""
    return subprocess.Popen(
        [str(SORRYCTL), "--socket", str(daemon.socket), "watch", "--json", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_no_gap_over_restarts(tmp_path: Path) -> None:
    """Over kill -9 and restarts, watch tells every event once, in order."""
    with Daemon(tmp_path, configuration([NOBODY], drain="0s")) as daemon:
        with watching(daemon, "--after", "0") as watch:
            assert watch.stdout is not None
            assert watch.stderr is not None
            found: list[dict[str, Any]] = []
            for round in range(4):
                daemon.ask("site.down", {"site": "shop", "reason": f"{round}"})
                if round != 2:
                    found.append(json.loads(watch.stdout.readline()))
                daemon.signal(signal.SIGKILL if round < 3 else signal.SIGTERM)
                daemon.wait()
                assert "waiting for it" in watch.stderr.readline()
                daemon.start()
                daemon.ask("site.up", {"site": "shop"})
                assert "the daemon is back" in watch.stderr.readline()
            daemon.ask("site.down", {"site": "shop", "reason": "the last"})
            while not found or found[-1]["reason"] != "the last":
                found.append(json.loads(watch.stdout.readline()))
            watch.send_signal(signal.SIGINT)
        history = daemon.ask("history.list", {"all": True})["entries"]
        assert found == history[: len(found)]
        assert [event["cursor"] for event in found] == sorted({one["cursor"] for one in history})[
            : len(found)
        ]
        assert len(found) >= 9
        assert watch.returncode == -signal.SIGINT


def test_a_closed_pipe(tmp_path: Path) -> None:
    """Who reads no more ends it silently."""
    with Daemon(tmp_path, configuration([NOBODY])) as daemon, watching(daemon) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        daemon.ask("site.down", {"site": "shop"})
        watch.stdout.readline()
        watch.stdout.close()
        daemon.ask("site.up", {"site": "shop"})
        assert watch.wait(20) == -signal.SIGPIPE
        assert watch.stderr.read() == ""
