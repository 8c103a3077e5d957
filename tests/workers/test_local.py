"""The edge in the daemon's own process, as a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import pytest
from tests.workers.lives import Sock, outfit, snapshot
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from sorryd.edge.edge import Edge
from sorryd.edge.listener import Bound
from sorryd.numbers import EdgeNumbers, SiteNumbers
from sorryd.snapshot import Snapshot
from sorryd.workers.local import Local
from sorryd.workers.meter import Ledger


class Copy:
    """A duplicate of a socket."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Played:
    """An edge that notes what it is told."""

    def __init__(self) -> None:
        self.applied: list[Snapshot] = []
        self.opened: list[list[int]] = []
        self.looks = 0
        self.over: Deferred[None] = Deferred()

    def apply(self, snapshot: Snapshot) -> None:
        self.applied.append(snapshot)

    def open(self, bound: Iterable[Bound], certificates: Mapping[str, object]) -> None:
        self.opened.append([one.key for one in bound])

    def look(self) -> None:
        self.looks += 1

    def numbers(self) -> EdgeNumbers:
        return EdgeNumbers(sites=(SiteNumbers(site="shop", accepted=3, open=1),))

    def retire(self, limit: float) -> Deferred[None]:
        return self.over


class Stage:
    """A worker here, with its sockets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.edge = Played()
        self.ledger = Ledger()
        self.worker = Local(cast(Edge, self.edge), self.ledger)
        self.copies: list[Copy] = []
        self.room = 1000
        monkeypatch.setattr(Sock, "dup", self._dup, raising=False)

    def _dup(self) -> Any:
        if len(self.copies) >= self.room:
            raise OSError(24, "Too many open files")
        self.copies.append(Copy())
        return self.copies[-1]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def test_in_force_at_once(stage: Stage) -> None:
    """What it is told is so when the call returns; only new sockets are duplicated."""
    stage.worker.apply(snapshot(1))
    stage.worker.fit(outfit(1, 2))
    stage.worker.fit(outfit(2, 3))
    assert stage.edge.applied == [snapshot(1)]
    assert stage.edge.opened == [[1, 2], [2, 3]]
    assert len(stage.copies) == 3
    assert stage.worker.serves
    assert stage.worker.settled().called


def test_no_descriptor_left(stage: Stage) -> None:
    """It serves as before, says why, and tries again; what was duplicated is closed."""
    stage.worker.fit(outfit(1))
    stage.room = 2
    with capturedLogs() as log:
        stage.worker.fit(outfit(1, 2, 3))
    assert [formatEvent(event) for event in log] == [
        "sites can't be listened at: too many open files"
    ]
    assert not stage.worker.serves
    assert stage.edge.opened == [[1]]
    assert [one.is_closed for one in stage.copies] == [False, True]
    stage.room = 1000
    stage.worker.look()
    assert stage.worker.serves
    assert stage.edge.opened == [[1], [1, 2, 3]]
    assert stage.edge.looks == 1


def test_retired(stage: Stage) -> None:
    """It is over when all of its visitors are gone."""
    over = stage.worker.retire(60)
    assert not over.called
    stage.edge.over.callback(None)
    assert over.called


def test_what_it_counted(stage: Stage) -> None:
    """It is kept, once, when the edge is over; until then the edge tells it."""
    stage.worker.retire(60)
    assert stage.worker.numbers == stage.edge.numbers()
    stage.edge.over.callback(None)
    assert stage.worker.numbers == EdgeNumbers()
    (kept,) = stage.ledger.past.sites
    assert (kept.accepted, kept.open) == (3, 0)
