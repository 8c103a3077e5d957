"""Windows that wait for healthy members: restarts, clocks that are set, a journal that fails."""

from __future__ import annotations

import pytest
from tests.control.checks import passes, to_its_end
from tests.control.world import ALICE, HOUR, SHARED, A, B, World

from sorryd.messages import HistoryList, WindowEnd


def verbs(world: World) -> list[str]:
    return [entry.verb for entry in world.journal.commits]


def written(world: World) -> list[str]:
    """What the journal has on windows."""
    entries = world.ask(HistoryList()).entries
    return [one.action for one in entries if one.action.startswith("window.")]


def test_every_site_by_itself(guarded: World) -> None:
    """Of a window for every site each is verified by itself, the last one ends it."""
    to_its_end(guarded, site=None)
    passes(guarded, SHARED, site="blog")
    assert [guarded.phase(name) for name in ("shop", "blog")] == ["verifying", "live"]
    assert verbs(guarded)[-1] == "window.verified"
    guarded.restart()
    assert [guarded.phase(name) for name in ("shop", "blog")] == ["verifying", "live"]
    guarded.step(-HOUR / 2)
    guarded.truth.look()
    assert [guarded.phase(name) for name in ("shop", "blog")] == ["down", "live"]
    guarded.step(HOUR / 2)
    guarded.truth.look()
    passes(guarded)
    assert [guarded.phase(name) for name in ("shop", "blog")] == ["live", "live"]
    assert guarded.ids() == set()


def test_a_restart_checks_anew(guarded: World) -> None:
    """A daemon that starts while it verifies waits for checks of its own."""
    to_its_end(guarded)
    passes(guarded, A)
    guarded.restart()
    assert guarded.phase() == "verifying"
    passes(guarded, B)
    assert guarded.phase() == "verifying"
    passes(guarded, A)
    assert guarded.phase() == "live"


@pytest.mark.parametrize("step", [-HOUR, HOUR, -50 * HOUR])
def test_what_is_verified_is_final(guarded: World, step: float) -> None:
    """A clock that is set reopens nothing that was verified."""
    to_its_end(guarded)
    passes(guarded)
    guarded.step(step)
    for _ in range(100):
        guarded.wait(120)
        assert guarded.phase() == "live"


def test_the_clock_steps_back_before_the_end(guarded: World) -> None:
    """What was not verified is down again, and at its end all is guarded anew."""
    to_its_end(guarded)
    passes(guarded, A)
    guarded.step(-60)
    guarded.truth.look()
    assert guarded.phase() == "down"
    passes(guarded, B)
    assert guarded.phase() == "down"
    guarded.wait(60)
    assert guarded.phase() == "verifying"
    guarded.monotonic += 1
    passes(guarded, began=guarded.monotonic - 30)
    assert guarded.phase() == "verifying"
    passes(guarded)
    assert guarded.phase() == "live"


def test_the_journal_follows(guarded: World) -> None:
    """What was verified is so while the journal fails; it is told when it can be."""
    to_its_end(guarded, site=None)
    guarded.journal.broken = True
    passes(guarded, SHARED, site="blog")
    passes(guarded)
    assert [guarded.phase(name) for name in ("shop", "blog")] == ["live", "live"]
    assert written(guarded) == ["window.schedule"]
    guarded.journal.broken = False
    guarded.wait(1)
    guarded.wait(1)
    assert written(guarded) == ["window.schedule", "window.verified", "window.verified"]
    guarded.restart()
    assert guarded.ids() == set()


def test_an_end_by_hand_overtakes_the_journal(guarded: World) -> None:
    """A line that the journal had refused does not bring back a window that was ended since."""
    to_its_end(guarded)
    guarded.journal.broken = True
    guarded.wait(600)
    guarded.journal.broken = False
    guarded.journal.waiting = []
    deferred = guarded.commands.execute(WindowEnd(id="night"), ALICE)
    guarded.journal.let_go()
    assert deferred.called
    guarded.wait(1)
    guarded.restart()
    assert guarded.ids() == set()
    assert guarded.phase() == "live"
