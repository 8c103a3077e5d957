"""sorryctl calendar: the feed on stdout, or in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import RESULTS
from tests.ctl.running import Run
from tests.ctl.running import run as as_process

FEED: Any = RESULTS["calendar.get"]
TEXT: bytes = FEED["calendar"].encode()


def test_printed(run: Run) -> None:
    """The feed is printed byte for byte, its line ends as they are."""
    assert run("calendar").stdout_bytes == TEXT


def test_locale_is_no_matter(daemon: FakeDaemon) -> None:
    """A feed is UTF-8, whatever the locale is."""
    outcome = as_process("calendar", SORRYD_SOCKET=str(daemon.path), PYTHONIOENCODING="latin-1")
    assert "新しい" in outcome.stdout


def test_written(run: Run, tmp_path: Path) -> None:
    """With -o the file has the feed, for all to read, and nothing else is left beside it."""
    path = tmp_path / "feed" / "maintenance.ics"
    path.parent.mkdir()
    path.write_bytes(b"old")
    outcome = run("calendar", "-o", str(path))
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert path.read_bytes() == TEXT
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == [path.name]


def test_unchanged(run: Run, tmp_path: Path) -> None:
    """A file that has the feed already is not touched."""
    path = tmp_path / "maintenance.ics"
    path.write_bytes(TEXT)
    before = path.stat()
    run("calendar", "-o", str(path))
    assert path.stat() == before


@pytest.mark.parametrize("place", ["nowhere/maintenance.ics", "."])
def test_not_written(run: Run, tmp_path: Path, place: str) -> None:
    """A file that can't be written is named, with the reason, and exit 1."""
    outcome = run("calendar", "-o", str(tmp_path / place))
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(f"sorryctl: {tmp_path / place}: ")
    assert outcome.stderr.count("\n") == 1


def test_senseless(run: Run, daemon: FakeDaemon) -> None:
    """An answer without a calendar is one that makes no sense."""
    daemon.results = {"calendar.get": {}}
    assert run("calendar").exit_code == 3
