"""A control side in memory for each test, and the tracebacks logged meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.control.world import CONFIG, SHARED, A, B, World, member, site
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from sorryd.model import Check, Config


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(str(tmp_path / "sorryd.db"))
    yield world
    world.journal.close()


@pytest.fixture
def failures() -> Iterator[list[LogEvent]]:
    """The tracebacks logged meanwhile."""
    seen: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            seen.append(event)

    globalLogPublisher.addObserver(observe)
    yield seen
    globalLogPublisher.removeObserver(observe)


CHECK = Check(rise=2, fall=3)
MEMBERS = (member(A, weight=3), member(B), member(SHARED, standby=True))


def config(check: Check | None) -> Config:
    shop = site("shop", *MEMBERS, check=check, drain=0.0)
    blog = site("blog", member(SHARED), check=check, drain=0.0)
    return msgspec.structs.replace(CONFIG, sites=(shop, blog))


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[World]:
    """Two sites without drain, whose members are checked."""
    world = World(str(tmp_path / "sorryd.db"), config(CHECK))
    yield world
    world.journal.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[World]:
    """The same, without a check."""
    world = World(str(tmp_path / "sorryd.db"), config(None))
    yield world
    world.journal.close()
