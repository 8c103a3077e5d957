"""A fake daemon for each test, and sorryctl asking it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import RESULTS
from tests.ctl.running import Run

from sorryd.ctl.commands import cli


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon that answers every method."""
    with FakeDaemon(tmp_path / "s", RESULTS) as running:
        yield running


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The terminal is in Tokyo."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(daemon: FakeDaemon, tokyo: None) -> Run:
    """sorryctl, asking that daemon."""

    def invoke(*arguments: str, **environment: str) -> Result:
        env = {"SORRYD_SOCKET": str(daemon.path), **environment}
        return CliRunner().invoke(cli, arguments, env=env)

    return invoke
