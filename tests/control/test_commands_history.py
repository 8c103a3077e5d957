"""What history and the log tell of the commands of the control socket."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from tests.control.world import B, World, night
from twisted.logger import capturedLogs, formatEvent

from sorryd.messages import HistoryList, MemberSet, SiteDown, WindowCancel, WindowExtend, WindowGet
from sorryd.model import MemberState
from sorryd.replies_history import HistoryEntry


def deeds(world: World, site: str | None = None) -> list[HistoryEntry]:
    """The history without what the daemon observed of phases."""
    entries: tuple[HistoryEntry, ...] = world.ask(HistoryList(site=site)).entries
    return [one for one in entries if one.action != "site.phase"]


def test_history(world: World) -> None:
    """Who did what is kept in order, in words, with the daemon's own deeds."""
    world.ask(night())
    world.ask(WindowExtend(id="night", by="30m"))
    world.ask(MemberSet(url=B, state=MemberState.DRAIN))
    world.wait(7200)
    world.restart()
    entries = deeds(world)
    assert [(one.action, one.site, one.window, one.member) for one in entries] == [
        ("window.schedule", "shop", "night", None),
        ("window.extend", "shop", "night", None),
        ("member.set", "shop", None, B),
        ("window.passed", "shop", "night", None),
    ]
    assert [one.author and one.author.name for one in entries] == ["alice", "alice", "alice", None]
    assert entries[0].reason == "disks"
    assert entries[1].detail == (
        "night: until 2026-11-21T14:10:00+01:00 -> 2026-11-21T14:40:00+01:00"
    )
    assert entries[2].detail == f"{B}: state ready -> drain"
    assert entries[2].at == "2026-11-21T13:00:00+01:00"
    assert deeds(world, "blog") == []


def test_history_to_the_second(world: World) -> None:
    """History tells times in words to the second, not to the microsecond."""
    world.step(0.25)
    world.ask(night())
    world.ask(WindowExtend(id="night", by="30m"))
    assert deeds(world)[1].detail == (
        "night: until 2026-11-21T14:10:00+01:00 -> 2026-11-21T14:40:00+01:00"
    )


def test_a_site_that_is_gone(tmp_path: Path) -> None:
    """A window of a site that the configuration lost is told of, and can still be taken back."""
    world = World(str(tmp_path / "sorryd.db"))
    world.ask(night())
    world.journal.close()
    with capturedLogs() as events:
        world = World(world.path, replace(world.config, sites=world.config.sites[1:]))
    assert [formatEvent(event) for event in events] == [
        "window night is of the site shop, which the configuration does not have"
    ]
    assert world.ask(WindowGet(id="night")).warnings == (
        "there is no site shop in the configuration",
    )
    assert len(deeds(world, "shop")) == 1
    assert world.ask(WindowCancel(id="night")).warnings == ()
    world.journal.close()


def test_the_log_tells_who(world: World) -> None:
    """Each change is a line of the log with its author, before what follows of it."""
    with capturedLogs() as events:
        world.ask(SiteDown(site="shop", reason="fire\nand water"))
    assert [formatEvent(event) for event in events] == [
        r"alice (uid 1000, pid 42): site.down shop w1: 'fire\nand water'",
        r"site shop: live -> draining (by hand, window w1: 'fire\nand water')",
    ]
