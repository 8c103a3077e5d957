"""sorryctl upgrade: the code that is installed now takes the place of the code that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import BOTH, Daemon
from tests.end_to_end.load import Pages, asking, check_page
from tests.end_to_end.test_takeover import Town
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import visitor


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


@BOTH
def test_upgrade(tmp_path: Path, pages: Pages, foreground: bool) -> None:
    """The same process goes on with new code, and new workers take the place of the old ones."""
    town = Town(tmp_path, pages, foreground=foreground)
    town.start()
    before, pid = town.workers(), town.daemon.pid
    started = town.daemon.ask("daemon.version")["started"]
    with visitor(town.port) as wire:
        check_page(asking(wire, b"/a"), "/a")
        told = town.daemon.ask("daemon.upgrade")
        assert told["started"] == started
        until(lambda: _is_new(town.daemon, started), "the new release")
        check_page(asking(wire, b"/b"), "/b")
    town.gone(before)
    assert town.daemon.running
    assert int(town.daemon.pidfile.read_text()) == pid == town.daemon.ask("status")["pid"]
    assert len(town.workers()) == 2
    town.page()
    entries = town.daemon.ask("history.list")["entries"]
    assert "daemon.upgrade" in [one["action"] for one in entries]
    town.end()


def _is_new(daemon: Daemon, started: str) -> bool:
    try:
        return bool(daemon.ask("daemon.version")["started"] != started)
    except OSError:
        return False
