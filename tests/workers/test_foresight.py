"""What an edge serves by between its report and the snapshot that answers it."""

from __future__ import annotations

from tests.policy.balanced import RESTING, UP
from tests.policy.test_foresight import FAILED, healths, snapshot
from twisted.internet.task import Clock

from sorryd.model import Health
from sorryd.snapshot import Snapshot
from sorryd.workers.foresight import LIMIT, Foresight


class Edge:
    """Keeps what it is to serve by."""

    def __init__(self) -> None:
        self.seen: list[list[Health]] = []

    def apply(self, snapshot: Snapshot) -> None:
        self.seen.append(healths(snapshot))


def test_at_once() -> None:
    """The edge hears at once what its own report will change, and only once."""
    edge = Edge()
    foresight = Foresight(edge, Clock().seconds)
    foresight.apply(snapshot(UP, UP))
    foresight.report(FAILED)
    foresight.report(FAILED)
    assert edge.seen == [[UP, UP], [RESTING, UP]]
    foresight.apply(snapshot(RESTING, UP))
    assert edge.seen[2:] == [[RESTING, UP]]


def test_the_control_side_thinks_otherwise() -> None:
    """What it did not confirm in time is not held on to."""
    edge, clock = Edge(), Clock()
    foresight = Foresight(edge, clock.seconds)
    foresight.apply(snapshot(UP, UP))
    foresight.report(FAILED)
    clock.advance(LIMIT)
    foresight.look()
    assert len(edge.seen) == 2
    clock.advance(0.1)
    foresight.look()
    foresight.look()
    assert edge.seen[2:] == [[UP, UP]]
