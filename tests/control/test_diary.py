"""What the daemon observes is in the history: each thing once, in order, over restarts."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.control.world import CONFIG, HOUR, NOON, A, World, member, night, site
from twisted.logger import capturedLogs, formatEvent

from sorryd.control import diary
from sorryd.messages import HistoryList, SiteDown, SiteUp, Status, WindowCancel
from sorryd.model import Config
from sorryd.replies_history import HistoryEntry, PhaseRecord
from sorryd.reports import MemberAnswered, MemberFailed

DAY = 24 * HOUR


def lines(world: World, *actions: str, site: str | None = None) -> list[HistoryEntry]:
    """The history of so many kinds; all of it where none is named."""
    found: tuple[HistoryEntry, ...] = world.ask(HistoryList(site=site, all=True)).entries
    return [one for one in found if not actions or one.action in actions]


def turns(world: World, site: str = "shop") -> list[str]:
    """What became of the phases, in words."""
    return [one.detail for one in lines(world, "site.phase") if one.site == site]


def events(world: World) -> list[str | None]:
    """What made the phases turn."""
    found = (one.after[0] for one in lines(world, "site.phase"))
    return [one.event for one in found if isinstance(one, PhaseRecord)]


def test_each_phase_is_a_line(world: World) -> None:
    """Each phase of a window is a line with its cause and its deadline, after its deed."""
    world.ask(night())
    for _ in range(3):
        world.wait(300)  # the second one begins it
        world.wait(0)
    world.wait(3600)
    assert turns(world) == [
        "live -> announced, until 2026-11-21T13:10:00+01:00",
        "announced -> draining, planned, until 2026-11-21T13:10:30+01:00",
        "draining -> down, planned, until 2026-11-21T14:10:00+01:00",
        "down -> live",
    ]
    assert events(world) == ["announced", "began", "drained", "end came"]
    first, second = lines(world, "site.phase")[:2]
    assert (first.window, first.reason, first.author) == ("night", "disks", None)
    assert first.before == (PhaseRecord(phase="live", cause=None),)  # type: ignore[arg-type]  # as told
    (after,) = first.after
    assert isinstance(after, PhaseRecord)
    assert (after.from_, after.until) == (
        "2026-11-21T13:10:00+01:00",
        "2026-11-21T14:10:00+01:00",
    )
    (after,) = second.after
    assert isinstance(after, PhaseRecord)
    assert after.deadline == "2026-11-21T13:10:30+01:00"
    assert [one.action for one in lines(world)][:2] == ["window.schedule", "site.phase"]
    assert [one.cursor for one in lines(world)] == sorted(one.cursor for one in lines(world))


def test_an_open_end_has_no_deadline(world: World) -> None:
    """A down by hand drains until a time, and then is down without one; up ends it."""
    world.ask(SiteDown(site="shop", drain="1m"))
    world.wait(60)
    world.ask(SiteUp(site="shop"))
    assert turns(world) == [
        "live -> draining, by hand, until 2026-11-21T13:01:00+01:00",
        "draining -> down, by hand",
        "down -> live",
    ]
    assert events(world) == ["began", "drained", "ended"]


def test_another_cause_is_a_line(world: World) -> None:
    """Where a site stays down for another reason, that is told too."""
    world.ask(night("now", from_="now"))
    world.wait(60)
    world.ask(SiteDown(site="shop"))
    assert turns(world)[-1] == "down -> down, by hand"
    assert events(world)[-1] is None


def test_a_cancelled_window(world: World) -> None:
    """A window that was announced and is cancelled leads back to live."""
    world.ask(night())
    world.ask(WindowCancel(id="night"))
    assert turns(world)[-1] == "announced -> live"
    assert events(world)[-1] == "cancelled"


def test_a_restart_repeats_nothing(world: World) -> None:
    """A restart tells only what has changed while the daemon was off."""
    world.ask(night())
    world.wait(700)
    before = lines(world)
    for _ in range(3):
        world.restart()
    assert lines(world) == before
    world.journal.close()
    world.step(3600)
    world.begin()
    assert turns(world)[-1] == "down -> live"
    assert len(turns(world)) == 3
    assert events(world)[-1] == "leapt"


def test_the_journal_fails(world: World) -> None:
    """What can't be written now is kept in order, never holds up a phase, and is said once."""
    world.ask(night())
    world.journal.broken = True
    with capturedLogs() as events:
        for _ in range(4):
            world.wait(300)
        assert world.phase() == "down"
        world.wait(3600)
        assert world.phase() == "live"
        world.journal.broken = False
        world.wait(1)
    assert turns(world)[1:] == [
        "announced -> draining, planned, until 2026-11-21T13:10:30+01:00",
        "draining -> down, planned, until 2026-11-21T14:10:00+01:00",
        "down -> live",
    ]
    assert [one.at for one in lines(world, "site.phase")][1] == "2026-11-21T13:10:00+01:00"
    said = [formatEvent(one) for one in events if "observes" in formatEvent(one)]
    assert len(said) == 2
    world.wait(1)
    assert len(turns(world)) == 4


def test_a_slow_journal(world: World) -> None:
    """While the journal writes, nothing is written twice, and what comes then follows."""
    world.journal.waiting = []
    world.ask_later(night("now", from_="now"))
    world.journal.let_go()
    world.journal.waiting = []
    world.wait(30)
    world.wait(1)
    assert len(world.journal.waiting) == 1
    world.wait(3600)
    world.journal.let_go()
    world.wait(0)
    assert [one.split(",")[0] for one in turns(world)] == [
        "live -> draining",
        "draining -> down",
        "down -> live",
    ]


# --- members ---------------------------------------------------------------------------------


def test_health(world: World) -> None:
    """A member that fails and comes back is two lines, whatever was tried in between."""
    failed = MemberFailed(site="shop", url=A, why="refused")
    for _ in range(3):
        world.truth.report(failed)
        world.wait(5)  # on trial
    world.restart()
    world.truth.report(failed)
    world.wait(5)
    world.truth.report(MemberAnswered(site="shop", url=A))
    found = lines(world, "member.health")
    assert [(one.site, one.member, one.detail) for one in found] == [
        ("shop", A, "up -> resting: refused"),
        ("shop", A, "resting -> up"),
    ]
    assert world.ask(HistoryList()).entries == ()


def test_a_journal_that_is_gone_for_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the journal takes nothing, turns of health do not fill the memory; phases are kept."""
    monkeypatch.setattr(diary, "MOST", 10)
    world.ask(SiteDown(site="shop", for_="1m"))
    world.journal.broken = True
    with capturedLogs() as events:
        for _ in range(20):
            world.truth.report(MemberFailed(site="shop", url=A, why="refused"))
            world.wait(5)
            world.truth.report(MemberAnswered(site="shop", url=A))
        world.journal.broken = False
        world.wait(1)
    assert len(lines(world, "member.health")) < 12
    assert turns(world)[-1] == "down -> live"
    assert any("turns of members' health were lost" in formatEvent(one) for one in events)


# --- a down without an end -------------------------------------------------------------------


def reminders(world: World) -> list[str]:
    return [one.detail for one in lines(world, "down.reminder")]


def warnings(world: World) -> tuple[str, ...]:
    warned: tuple[str, ...] = world.ask(Status(site="shop")).sites[0].warnings
    return warned


def test_a_down_without_an_end(world: World) -> None:
    """It is warned of after the limit and each day from then on, and never ended."""
    world.ask(SiteDown(site="shop"))
    world.wait(DAY - 1)
    assert (reminders(world), warnings(world)) == ([], ())
    with capturedLogs() as events:
        for _ in range(10):
            world.wait(1)
    said = "down for 1d, and no end is set: sorryctl up ends it, sorryctl extend sets an end"
    assert [formatEvent(one) for one in events] == [f"site shop: {said}"]
    assert reminders(world) == ["down since 2026-11-21T13:00:00+01:00, and no end is set"]
    assert warnings(world) == (said,)
    world.wait(DAY - 20)
    assert len(reminders(world)) == 1
    for _ in range(30):
        world.wait(1)
    assert len(reminders(world)) == 2
    assert world.phase() == "down"
    world.ask(SiteUp(site="shop"))
    world.wait(3 * DAY)
    assert (len(reminders(world)), warnings(world)) == (2, ())
    assert reminders(world) == [one.detail for one in lines(world, "down.reminder", site="shop")]


def test_an_end_is_none_of_it(world: World) -> None:
    """A down with an end is not warned of, however long it lasts."""
    world.ask(SiteDown(site="shop", for_="30d"))
    world.wait(10 * DAY)
    assert (reminders(world), warnings(world)) == ([], ())


def test_restarts_neither_repeat_nor_lose_a_warning(world: World) -> None:
    """A daemon that was off at the time warns when it is back, once."""
    world.ask(SiteDown(site="shop"))
    world.journal.close()
    world.step(DAY + 100)
    world.begin()
    for _ in range(3):
        world.restart()
    assert len(reminders(world)) == 1


def test_a_clock_that_jumps_does_not_flood(world: World) -> None:
    """A clock that is set a month ahead and back again warns once for each, and goes on."""
    world.ask(SiteDown(site="shop"))
    for ahead in (30 * DAY, -29 * DAY, 0, 60, -60, 0):
        world.step(ahead)
        world.truth.look()
        world.truth.look()
    assert len(reminders(world)) == 2
    world.wait(DAY)
    assert len(reminders(world)) == 3


def test_a_limit_of_one_s_own(tmp_path: Path) -> None:
    """`down_limit` says after how long the first warning comes; a new down begins anew."""
    config: Config = replace(CONFIG, down_limit=60.0, sites=(site("shop", member(A)),))
    world = World(str(tmp_path / "sorryd.db"), config)
    for _ in range(2):
        world.ask(SiteDown(site="shop"))
        world.wait(60)
        world.ask(SiteUp(site="shop"))
        world.wait(1)
    assert len(reminders(world)) == 2
    assert world.wall == NOON + 122
    world.journal.close()
