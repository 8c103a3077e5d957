"""The thread that looks after sorry files ends when it is told to, at whatever moment."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.given.yard import Yard, site

from sorryd.given.sorry_files import SorryFiles

NOON = 1_800_000_000.0


class _Bell(threading.Event):
    """It stops the looking when the thread is about to begin its third look."""

    files: SorryFiles
    looks = 0

    def clear(self) -> None:
        self.looks += 1
        if self.looks == 3:
            self.files.stop()
        super().clear()


def test_told_to_stop_before_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word to stop is not lost with the bell that is silenced before each look."""
    bell = _Bell()
    monkeypatch.setattr(threading, "Event", lambda: bell)
    files = bell.files = SorryFiles(Yard(), lambda: NOON, lambda site, page: None)
    monkeypatch.undo()
    before = set(threading.enumerate())
    files.use((site(sorry_file=str(tmp_path / "folder" / "maintenance.html")),), {})
    for thread in set(threading.enumerate()) - before:
        thread.join(5.0)
        assert not thread.is_alive()
    assert bell.looks == 3
