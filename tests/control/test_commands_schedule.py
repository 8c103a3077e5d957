"""The commands of the control socket for planned windows."""

from __future__ import annotations

import pytest
from tests.control.world import World, night, phases

from sorryd.messages import (
    Request,
    SiteDown,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowGet,
    WindowList,
    WindowSchedule,
)
from sorryd.replies import WindowPhase, WindowResult
from sorryd.replies_history import AuthorResult


def test_schedule(world: World) -> None:
    """A planned window is answered as it will be, and is there after a restart."""
    request = WindowSchedule(
        from_="tomorrow 02:00", until="05:00", site="shop", reason="disks", drain="1m"
    )
    window = world.ask(request)
    assert window == WindowResult(
        id="w1",
        site="shop",
        from_="2026-11-22T02:00:00+01:00",
        until="2026-11-22T05:00:00+01:00",
        reason="disks",
        timezone="Europe/Berlin",
        drain=60.0,
        phase=WindowPhase.ANNOUNCED,
        author=AuthorResult(uid=1000, name="alice", pid=42),
        created="2026-11-21T13:00:00+01:00",
    )
    world.restart()
    assert world.ask(WindowList()) == (window,)
    assert world.ask(WindowGet(id="w1")) == window


@pytest.mark.parametrize(
    ("from_", "until", "timezone", "found"),
    [
        pytest.param(
            "22:00", "02:00", None, ("21T22:00:00+01:00", "22T02:00:00+01:00"), id="by night"
        ),
        pytest.param(
            "tomorrow 12:30", "13:30", None, ("22T12:30:00+01:00", "22T13:30:00+01:00"), id="day"
        ),
        pytest.param(
            "2026-11-21 12:00",
            "14:00",
            None,
            ("21T12:00:00+01:00", "21T14:00:00+01:00"),
            id="begun",
        ),
        pytest.param(
            "02:00", "03:00", "Asia/Tokyo", ("22T02:00:00+09:00", "22T03:00:00+09:00"), id="zone"
        ),
        pytest.param("+1h", "+2h", None, ("21T14:00:00+01:00", "21T15:00:00+01:00"), id="from now"),
    ],
)
def test_times(
    world: World, from_: str, until: str, timezone: str | None, found: tuple[str, str]
) -> None:
    """Times are read in the zone asked for, and a bare end is the first one after the start."""
    request = WindowSchedule(from_=from_, until=until, timezone=timezone, site="shop")
    window = world.ask(request)
    assert (window.from_, window.until) == tuple(f"2026-11-{time}" for time in found)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        pytest.param(night(from_="+30m"), "overlaps first (2026-11-21T13:10", id="overlap"),
        pytest.param(night(site=None), "overlaps first (2026-11-21T", id="overlap of all"),
        pytest.param(night(from_="2026-11-21 12:30"), "it has begun already", id="begun"),
        pytest.param(
            WindowSchedule(from_="2027-03-28 02:30", for_="1h", site="shop"),
            "the clock in Europe/Berlin skips 2027-03-28 02:30: 2027-03-28 03:30+02:00 is taken",
            id="skipped",
        ),
        pytest.param(
            WindowSchedule(from_="20:00", until="19:00", site="shop"),
            "it lasts 23h: 19:00 is taken as the next one",
            id="nearly a day",
        ),
        pytest.param(
            WindowExtend(id="first", until="13:05"),
            "it lasts 23h55m: 13:05 is taken as the next one",
            id="extended by nearly a day",
        ),
        pytest.param(
            night("first", site="blog"), "it was of the site shop", id="an id of another site"
        ),
    ],
)
def test_warnings(world: World, request_: Request, words: str) -> None:
    """What an operator may not have meant is done, and said."""
    world.ask(night("first"))
    assert any(warning.startswith(words) for warning in world.ask(request_).warnings)


def test_overlaps_to_the_second(world: World) -> None:
    """An overlap is told to the second, whatever the fraction at which a window was planned."""
    world.wait(0.25)
    world.ask(night("first", from_="+1h"))
    (warning,) = world.ask(night(from_="+1h")).warnings
    assert warning == "overlaps first (2026-11-21T14:00:00+01:00 to 2026-11-21T15:00:00+01:00)"


def test_many_overlaps(world: World) -> None:
    """Among very many windows the first ten that overlap are named, and the others counted."""
    for number in range(13):
        world.ask(night(f"n{number:02}", from_=f"+{number}m", for_="30s"))
    warnings = world.ask(night(from_="+0s", for_="1d")).warnings
    assert [text.split(" (")[0] for text in warnings] == [
        *(f"overlaps n{number:02}" for number in range(10)),
        "overlaps 3 more",
    ]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(night(from_="+70m"), id="touching"),
        pytest.param(night(site="blog"), id="of another site"),
        pytest.param(night("first"), id="the same"),
        pytest.param(
            WindowSchedule(from_="20:00", until="08:00", site="shop"), id="12 h by the clock"
        ),
        pytest.param(
            WindowSchedule(from_="20:00", until="2026-11-23 08:00", site="shop"), id="long by date"
        ),
        pytest.param(night(from_="+2h", for_="13h"), id="long by duration"),
    ],
)
def test_no_warnings(world: World, request_: WindowSchedule) -> None:
    """Windows that touch, of other sites, or the same one do not overlap; long ones may be."""
    world.ask(night("first"))
    assert world.ask(request_).warnings == ()


def test_schedule_again_changes(world: World) -> None:
    """The same id again changes the window, and the same words again change nothing."""
    created = world.ask(night())
    world.wait(1)
    moved = world.ask(night(from_="+2h", site=None, timezone="Europe/Berlin"))
    assert (moved.site, moved.from_) == (None, "2026-11-21T15:00:01+01:00")
    assert moved.created == created.created
    assert len(world.ask(WindowList())) == 1
    fixed = night(from_="2026-11-22 02:00")
    world.ask(fixed)
    written = len(world.journal.commits)
    world.ask(fixed)
    assert len(world.journal.commits) == written


def test_dry_run(world: World) -> None:
    """A dry run answers as if it were done, and does nothing."""
    window = world.ask(night(from_="now", dry_run=True))
    assert (window.id, window.until) == ("night", "2026-11-21T14:00:00+01:00")
    assert world.ask(WindowList()) == ()
    assert world.phase() == "live"
    assert world.journal.commits == []


def test_extend(world: World) -> None:
    """A window is prolonged or shortened, before and while it is open; a down gets an end."""
    world.ask(night())
    assert world.ask(WindowExtend(id="night", by="30m")).until == "2026-11-21T14:40:00+01:00"
    world.wait(700)
    assert world.ask(WindowExtend(id="night", until="14:15")).until == "2026-11-21T14:15:00+01:00"
    assert world.ask(WindowExtend(id="night", until="13:12")).until == "2026-11-21T13:12:00+01:00"
    world.wait(20)
    assert world.phase() == "live"
    world.ask(SiteDown(site="shop", until_text="noon-ish"))
    window = world.ask(WindowExtend(id="w1", until="14:00"))
    assert window.until == "2026-11-21T14:00:00+01:00"
    assert world.ask(Status()).sites[0].until_text is None


def test_end_and_cancel(world: World) -> None:
    """An open window is ended, one to come is cancelled; both stay to be seen."""
    world.ask(night("open", from_="now"))
    world.ask(night("later"))
    world.wait(60)
    over = [world.ask(WindowEnd(id="open")), world.ask(WindowCancel(id="later"))]
    assert [one.phase for one in over] == [WindowPhase.ENDED, WindowPhase.CANCELLED]
    assert {one.ended for one in over} == {"2026-11-21T13:01:00+01:00"}
    assert world.phase() == "live"
    assert world.ask(WindowList()) == ()
    assert [window.id for window in world.ask(WindowList(past=True))] == ["open", "later"]
    assert [window.id for window in world.ask(WindowList(past=True, site="blog"))] == []
    world.restart()
    assert world.ask(WindowGet(id="later")).phase is WindowPhase.CANCELLED
    assert world.phase() == "live"


def test_the_end_of_one_never_ends_another(world: World) -> None:
    """Where windows overlap, the end of one, by hand or by itself, leaves the other."""
    world.ask(night("a", from_="now"))
    world.ask(night("b", from_="now", for_="2h", site=None))
    world.ask(WindowEnd(id="a"))
    assert phases(world) == ["draining", "draining"]
    world.wait(3601)
    assert phases(world) == ["down", "down"]
    world.wait(3600)
    assert phases(world) == ["live", "live"]


def test_names(world: World) -> None:
    """A window that nobody named gets an id that no window ever had."""
    assert world.ask(WindowSchedule(from_="+1h", for_="1h")).id == "w1"
    world.ask(WindowCancel(id="w1"))
    world.restart()  # begins to count names anew
    assert world.ask(WindowSchedule(from_="+1h", for_="1h")).id == "w2"


def test_many_windows_are_listed_in_order(world: World) -> None:
    """Windows are listed as they start, with those of every site, or those of one."""
    world.ask(night("c", from_="+3h"))
    world.ask(night("a", from_="+1h", site=None))
    world.ask(night("b", from_="+2h", site="blog"))
    assert [window.id for window in world.ask(WindowList())] == ["a", "b", "c"]
    assert [window.id for window in world.ask(WindowList(site="blog"))] == ["a", "b"]
