"""daemon.upgrade: checked first, then written down, then done."""

from __future__ import annotations

from typing import Any

import pytest
from tests.control.world import ALICE, World
from twisted.internet.defer import Deferred

from sorryd.control.versions import sorryd_version
from sorryd.errors import conflict
from sorryd.messages import DaemonReload, DaemonUpgrade, DaemonVersion, HistoryList, SiteDown


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


@pytest.mark.parametrize("by", ["configuration", "new release", "journal"])
def test_refused(world: World, by: str) -> None:
    """A file that needs a restart, a release that would not start, a full disk: nothing begins."""
    refusal = conflict("no")
    if by == "configuration":
        world.preparation.refusal = "load", refusal
    elif by == "new release":
        world.release.would_not = refusal
    else:
        world.journal.broken = True
    error = world.refused(DaemonUpgrade())
    assert error is refusal or by == "journal"
    assert "begin" not in world.release.deeds
    world.journal.broken = False
    assert world.ask(HistoryList()).entries == ()


def test_a_site_can_be_taken_down_meanwhile(world: World) -> None:
    """While the new release is asked, which may take seconds, other commands are carried out."""
    checking: Deferred[str] = Deferred()
    world.release.check = lambda: checking  # type: ignore[method-assign]
    answers: list[object] = []
    world.commands.execute(DaemonUpgrade(), ALICE).addBoth(answers.append)
    world.ask(SiteDown(site="shop"))
    assert answers == []
    checking.callback("0.2.0")
    assert len(answers) == 1


def test_no_reload_in_between(world: World) -> None:
    """While the new release is asked, a reload waits, and is refused then."""
    checking: Deferred[str] = Deferred()
    world.release.check = lambda: checking  # type: ignore[method-assign]
    world.commands.execute(DaemonUpgrade(), ALICE)
    answers: list[Any] = []
    world.commands.execute(DaemonReload(), ALICE).addBoth(answers.append)
    assert answers == []
    checking.callback("0.2.0")
    assert "an upgrade is under way" in str(answers[0].value)
    assert world.preparation.deeds == ["load"]


def test_nothing_else_of_the_kind(world: World) -> None:
    """Once it has begun there is no reload and no other upgrade, until nothing came of it."""
    world.ask(DaemonUpgrade())
    for request in (DaemonReload(), DaemonUpgrade()):
        assert "an upgrade is under way" in str(world.refused(request))
    world.release.nothing.callback(None)
    world.ask(DaemonReload())
    world.release.nothing = Deferred()
    world.ask(DaemonUpgrade())
