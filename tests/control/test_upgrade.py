"""daemon.upgrade: checked first, then written down, then done."""

from __future__ import annotations

import pytest
from tests.control.world import ALICE, World

from sorryd.control.versions import sorryd_version
from sorryd.errors import conflict
from sorryd.messages import DaemonUpgrade, DaemonVersion, HistoryList, SiteDown


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(str(tmp_path_factory.mktemp("state") / "sorryd.db"))


def test_upgrade(world: World) -> None:
    """The answer says what runs, since when, and what follows; the history says who asked."""
    started = world.ask(DaemonVersion()).started
    world.wait(60)
    told = world.ask(DaemonUpgrade())
    assert (told.version, told.next_version) == (sorryd_version(), "0.2.0")
    assert told.started == started == "2026-11-21T12:00:00+00:00"
    (entry,) = world.ask(HistoryList()).entries
    assert (entry.action, entry.author.name) == ("daemon.upgrade", "alice")
    assert entry.detail == f"{sorryd_version()} -> 0.2.0"
    assert world.release.deeds == ["check", "begin"]


def test_the_order(world: World) -> None:
    """The journal has it before anything begins; then it is answered."""
    world.journal.waiting = []
    answers: list[object] = []
    world.commands.execute(DaemonUpgrade(), ALICE).addBoth(answers.append)
    assert world.release.deeds == ["check"]
    assert answers == []
    world.journal.let_go()
    assert world.release.deeds == ["check", "begin"]
    assert len(answers) == 1


@pytest.mark.parametrize("by", ["configuration", "new release", "meanwhile", "journal"])
def test_refused(world: World, by: str) -> None:
    """A file that needs a restart, a release that would not start, a full disk: nothing begins."""
    refusal = conflict("no")
    if by == "configuration":
        world.preparation.refusal = "load", refusal
    elif by == "new release":
        world.release.would_not = refusal
    elif by == "meanwhile":  # as by a reload to workers = 0
        world.release.can_not = refusal
    else:
        world.journal.broken = True
    error = world.refused(DaemonUpgrade())
    assert error is refusal or by == "journal"
    assert "begin" not in world.release.deeds
    world.journal.broken = False
    assert world.ask(HistoryList()).entries == ()


def test_a_site_can_be_taken_down_meanwhile(world: World) -> None:
    """While the new release is asked, which may take seconds, other commands are carried out."""
    from twisted.internet.defer import Deferred

    checking: Deferred[str] = Deferred()
    world.release.check = lambda: checking  # type: ignore[method-assign]
    answers: list[object] = []
    world.commands.execute(DaemonUpgrade(), ALICE).addBoth(answers.append)
    world.ask(SiteDown(site="shop"))
    assert answers == []
    checking.callback("0.2.0")
    assert len(answers) == 1
