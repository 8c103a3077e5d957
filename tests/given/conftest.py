"""What the tests of given pages are played on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.given.asking import World
from tests.given.looking import Looking
from tests.given.yard import Yard
from twisted.logger import LogEvent, formatEvent, globalLogPublisher


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace", "").startswith("sorryd"):
            world.lines.append(formatEvent(event) or "")

    globalLogPublisher.addObserver(observe)  # type: ignore[arg-type]  # a function is an observer
    yield world
    globalLogPublisher.removeObserver(observe)  # type: ignore[arg-type]  # as above
    world.fetcher.stop()
    assert world.reactor.getDelayedCalls() == []


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    """What looks; nothing of it may be left."""
    looking = Looking(Yard(), monkeypatch)
    yield looking
    looking.files.stop()
    looking.yard.turn()
    assert looking.yard.watches == 0
    assert looking.yard.getDelayedCalls() == []


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Capistrano's folder, where the file is put."""
    folder = tmp_path / "shared" / "system"
    folder.mkdir(parents=True)
    return folder
