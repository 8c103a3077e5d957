"""The commands of the control socket, as dialogues with a control side in memory."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.world import ALICE, NOON, SHARED, A, B, World, result, window
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from sorryd.journal import WindowPut
from sorryd.messages import (
    ControlError,
    DaemonReload,
    DaemonVersion,
    ErrorCode,
    EventsSubscribe,
    GiveUp,
    HistoryList,
    MemberSet,
    PagePreview,
    Request,
    Scope,
    SiteDown,
    SiteUp,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowGet,
    WindowList,
    WindowPlan,
    WindowSchedule,
)
from sorryd.model import Active, Cause, MemberFailed, MemberState, Phase
from sorryd.policy.windows import Standing
from sorryd.replies import AuthorResult, Result, WindowPhase, WindowResult


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(str(tmp_path / "sorryd.db"))
    yield world
    world.journal.close()


def night(
    name: str = "night",
    from_: str = "+10m",
    for_: str = "1h",
    site: str | None = "shop",
    **fields: object,
) -> WindowSchedule:
    return WindowSchedule(from_=from_, for_=for_, id=name, site=site, reason="disks", **fields)  # type: ignore[arg-type]  # rows


def has_fired(deferred: Deferred[Result]) -> bool:
    fired: list[object] = []

    def note(found: Any) -> Any:
        fired.append(found)
        return found

    deferred.addBoth(note)
    return bool(fired)


def phases(world: World) -> list[str]:
    return [world.phase("shop"), world.phase("blog")]


# --- status ---------------------------------------------------------------------------------


def test_status(world: World) -> None:
    """The status tells of each site, its windows and its members, in its own time zone."""
    world.ask(night())
    world.ask(MemberSet(url=A, weight=7))
    world.active = [
        Active(site="shop", url=A, requests=2),
        Active(site="shop", url=A, requests=1),
        Active(site="blog", url=SHARED, requests=5),
    ]
    world.wait(600)
    status = world.ask(Status())
    assert (status.now, status.pid) == ("2026-11-21T12:10:00+00:00", os.getpid())
    shop, blog = status.sites
    assert (shop.name, shop.phase, shop.cause) == ("shop", Phase.DRAINING, Cause.WINDOW)
    assert (shop.reason, shop.until) == ("disks", "2026-11-21T14:10:00+01:00")
    assert shop.window.id == "night"
    assert shop.window.phase is WindowPhase.DRAINING
    assert shop.next is None
    assert [(one.url, one.weight, one.active) for one in shop.members] == [
        (A, 7, 3),
        (B, 1, 0),
        (SHARED, 1, 0),
    ]
    assert [one.standby for one in shop.members] == [False, False, True]
    assert (blog.phase, blog.cause, blog.reason) == (Phase.LIVE, None, "")
    assert (blog.until, blog.window) == (None, None)
    assert world.ask(Status(site="blog")).sites == (blog,)


def test_status_of_a_site_without_members(world: World) -> None:
    """Where all members are dead or put aside the site stays live, and the cause is members."""
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    world.ask(MemberSet(url=B, state=MemberState.MAINT))
    assert world.ask(Status()).sites[0].cause is None
    world.ask(MemberSet(url=f"shop/{SHARED}", weight=0))
    shop = world.ask(Status()).sites[0]
    assert (shop.phase, shop.cause) == (Phase.LIVE, Cause.MEMBERS)
    world.ask(SiteDown(site="shop"))
    assert world.ask(Status()).sites[0].cause is Cause.MANUAL


def test_version(world: World) -> None:
    """The versions are those of what runs."""
    found = world.ask(DaemonVersion())
    assert found.openssl.startswith("OpenSSL ")
    assert found.python.startswith("3.")
    assert found.version == world.ask(Status()).version


# --- down and up ----------------------------------------------------------------------------


def test_down_and_up(world: World) -> None:
    """A site goes down by hand, drains, and comes up again; the answers are its status."""
    (shop,) = world.ask(SiteDown(site="shop", reason="fire", drain="10s"))
    assert (shop.phase, shop.cause, shop.reason) == (Phase.DRAINING, Cause.MANUAL, "fire")
    assert (shop.until, shop.window.id) == (None, "w1")
    assert phases(world) == ["draining", "live"]
    world.wait(10)
    assert phases(world) == ["down", "live"]
    (shop,) = world.ask(SiteUp(site="shop"))
    assert (shop.phase, shop.cause, shop.window) == (Phase.LIVE, None, None)
    assert world.ask(WindowGet(id="w1")).phase is WindowPhase.ENDED


@pytest.mark.parametrize(
    ("fields", "until", "text"),
    [
        pytest.param({}, None, None, id="open-ended"),
        pytest.param({"for_": "90m"}, "2026-11-21T14:30:00+01:00", None, id="for"),
        pytest.param({"for_": 5400.0}, "2026-11-21T14:30:00+01:00", None, id="for, in seconds"),
        pytest.param({"until": "15:00"}, "2026-11-21T15:00:00+01:00", None, id="the site's zone"),
        pytest.param({"until_text": "15:00"}, "2026-11-21T15:00:00+01:00", None, id="UNTIL"),
        pytest.param({"until_text": "noon-ish"}, None, "noon-ish", id="UNTIL, no time"),
        pytest.param({"until_text": "  "}, None, None, id="UNTIL, empty"),
        pytest.param(
            {"until": "15:00", "until_text": "noon-ish"},
            "2026-11-21T15:00:00+01:00",
            None,
            id="until before UNTIL",
        ),
    ],
)
def test_down_until(
    world: World, fields: dict[str, str], until: str | None, text: str | None
) -> None:
    """A down ends by itself where its end is known, else it tells visitors what was said."""
    (shop,) = world.ask(SiteDown(site="shop", **fields))
    assert (shop.until, shop.until_text) == (until, text)
    world.wait(4 * 3600)
    assert world.phase() == ("down" if until is None else "live")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"until": "2027-03-28 02:30"}, id="until"),
        pytest.param({"until_text": "2027-03-28 02:30"}, id="UNTIL"),
    ],
)
def test_down_warns(world: World, fields: dict[str, str]) -> None:
    """What an operator may not have meant by the end of a down is said with its window."""
    note = "the clock in Europe/Berlin skips 2027-03-28 02:30: 2027-03-28 03:30+02:00 is taken"
    (shop,) = world.ask(SiteDown(site="shop", **fields))
    assert shop.window.warnings == (note,)
    assert world.ask(Status(site="shop")).sites[0].window.warnings == ()
    (shop,) = world.ask(SiteDown(site="shop", until="12:00"))
    assert shop.window.warnings == ("it lasts 23h: 12:00 is taken as the next one",)


def test_down_again_updates(world: World) -> None:
    """A second down of the same scope changes the first: its end, and a reason if one is said."""
    world.ask(SiteDown(site="shop", reason="fire", for_="1h"))
    world.ask(SiteDown(site="shop", for_="2h"))
    (window,) = world.ask(WindowList())
    assert (window.reason, window.until) == ("fire", "2026-11-21T15:00:00+01:00")
    (shop,) = world.ask(SiteDown(site="shop", reason="water"))
    assert (shop.reason, shop.until) == ("water", None)
    assert len(world.ask(WindowList())) == 1
    written = len(world.journal.commits)
    world.ask(SiteDown(site="shop", reason="water"))
    assert len(world.journal.commits) == written


def test_up_of_one_site_of_all(world: World) -> None:
    """Up of a site takes it out of a down of all; the last site to leave ends it."""
    world.ask(SiteDown())
    assert phases(world) == ["draining", "draining"]
    world.ask(SiteUp(site="shop"))
    assert phases(world) == ["live", "draining"]
    world.restart()
    assert phases(world) == ["live", "draining"]
    world.ask(SiteUp(site="blog"))
    assert phases(world) == ["live", "live"]
    assert world.ids() == set()


def test_down_of_all_after_one_came_up(world: World) -> None:
    """A new down of all takes also those down that were taken out of the one before."""
    world.ask(SiteDown(reason="fire"))
    world.ask(SiteUp(site="shop"))
    sites = world.ask(SiteDown(for_="1h"))
    assert [site.phase for site in sites] == [Phase.DRAINING, Phase.DRAINING]
    assert {site.until for site in sites} == {"2026-11-21T14:00:00+01:00"}
    world.ask(SiteUp())
    assert phases(world) == ["live", "live"]
    assert world.ids() == set()


def test_up_ends_open_windows_only(world: World) -> None:
    """Up ends what holds the site down, planned or by hand, and leaves what is to come."""
    world.ask(night("open", from_="now"))
    world.ask(night("later", from_="+2h"))
    world.ask(SiteDown(site="shop"))
    world.ask(SiteUp(site="shop"))
    assert world.ids() == {"later"}
    assert world.phase() == "announced"


def test_up_of_a_live_site(world: World) -> None:
    """Up of a site that is live is no fault, and nothing to write down."""
    assert [site.phase for site in world.ask(SiteUp())] == [Phase.LIVE, Phase.LIVE]
    assert world.journal.commits == []


# --- planned windows ------------------------------------------------------------------------


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
    assert world.ask(WindowEnd(id="open")).phase is WindowPhase.ENDED
    assert world.ask(WindowCancel(id="later")).phase is WindowPhase.CANCELLED
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


# --- refusals -------------------------------------------------------------------------------

INVALID, CONFLICT, NOT_FOUND = ErrorCode.INVALID_PARAMS, ErrorCode.CONFLICT, ErrorCode.NOT_FOUND


def plain(**fields: object) -> WindowSchedule:
    return WindowSchedule(**{"from_": "+1h", "for_": "1h", **fields})  # type: ignore[arg-type]  # rows


@pytest.mark.parametrize(
    ("request_", "code", "field", "words"),
    [
        pytest.param(Status(site="no"), NOT_FOUND, "site", "there is no site no", id="status"),
        pytest.param(WindowList(site="no"), NOT_FOUND, "site", "no site", id="list"),
        pytest.param(SiteDown(site="no"), NOT_FOUND, "site", "shop, blog", id="down"),
        pytest.param(SiteUp(site="no"), NOT_FOUND, "site", "no site", id="up"),
        pytest.param(plain(site="no"), NOT_FOUND, "site", "no site", id="schedule"),
        pytest.param(MemberSet(url=A, site="no"), NOT_FOUND, "site", "no site", id="member's site"),
        pytest.param(MemberSet(url="http://no:1"), NOT_FOUND, "url", "no member", id="member"),
        pytest.param(HistoryList(site="no"), NOT_FOUND, "site", "no site", id="history"),
        pytest.param(WindowGet(id="no"), NOT_FOUND, "id", "no window no", id="get"),
        pytest.param(WindowExtend(id="no", by="1h"), NOT_FOUND, "id", "no window", id="extend"),
        pytest.param(WindowEnd(id="no"), NOT_FOUND, "id", "no window", id="end"),
        pytest.param(WindowCancel(id="no"), NOT_FOUND, "id", "no window", id="cancel"),
        pytest.param(
            SiteDown(until="15:00", for_="1h"), INVALID, "until", "not both", id="down, two ends"
        ),
        pytest.param(
            SiteDown(until="2026-11-20"), INVALID, "until", "still to come", id="down, past"
        ),
        pytest.param(
            SiteDown(until_text="2026-11-20"), INVALID, "until_text", "still to", id="UNTIL, past"
        ),
        pytest.param(SiteDown(until="soon"), INVALID, "until", "not a time", id="down, no time"),
        pytest.param(SiteDown(for_="1"), INVALID, "for", "needs a unit", id="no duration"),
        pytest.param(SiteDown(for_="0s"), INVALID, "for", "still to come", id="for nothing"),
        pytest.param(SiteDown(drain="x"), INVALID, "drain", "not a duration", id="drain"),
        pytest.param(SiteDown(for_=1e300), INVALID, "for", "hundred years", id="for ever"),
        pytest.param(plain(from_="x"), INVALID, "from", "not a time", id="from"),
        pytest.param(plain(timezone="Mars/Base"), INVALID, "timezone", "Mars/Base", id="zone"),
        pytest.param(plain(for_=None), INVALID, "until", "until or for", id="no end"),
        pytest.param(plain(until="+2h"), INVALID, "until", "until or for", id="two ends"),
        pytest.param(plain(for_="0s"), INVALID, "for", "after the start", id="empty"),
        pytest.param(
            plain(for_=None, until="+30m"), INVALID, "until", "after the start", id="backwards"
        ),
        pytest.param(
            plain(from_="2026-11-20"), INVALID, "for", "wholly in the past", id="in the past"
        ),
        pytest.param(
            plain(from_="9998-12-31", for_="1d"), INVALID, "for", "year 9998", id="end of time"
        ),
        pytest.param(plain(every="daily"), INVALID, "every", "not supported", id="every"),
        pytest.param(
            plain(until_healthy="5m"), INVALID, "until_healthy", "not supported", id="healthy"
        ),
        pytest.param(plain(give_up=GiveUp.OPEN), INVALID, "give_up", "not supported", id="give up"),
        pytest.param(
            plain(scope=Scope(paths=("/a",))), INVALID, "scope.paths", "not supported", id="paths"
        ),
        pytest.param(
            plain(scope=Scope(members=(A,))), INVALID, "scope.members", "not supp", id="members"
        ),
        pytest.param(
            plain(scope=Scope(methods=("unsafe",))), INVALID, "scope.methods", "not", id="methods"
        ),
        pytest.param(plain(id="over"), CONFLICT, "id", "over is over", id="again, over"),
        pytest.param(plain(id="w1"), CONFLICT, "id", "is a down by hand", id="again, a down"),
        pytest.param(
            WindowExtend(id="over", by="1h"), CONFLICT, "id", "over is over", id="extend, over"
        ),
        pytest.param(WindowEnd(id="gone"), CONFLICT, "id", "was cancelled", id="end, cancelled"),
        pytest.param(
            WindowEnd(id="later"), CONFLICT, "id", "not open yet: cancel it", id="end, too early"
        ),
        pytest.param(
            WindowCancel(id="open"), CONFLICT, "id", "is open: end it", id="cancel, too late"
        ),
        pytest.param(WindowExtend(id="open"), INVALID, "until", "either", id="extend by nothing"),
        pytest.param(
            WindowExtend(id="open", by="1h", until="15:00"), INVALID, "until", "either", id="both"
        ),
        pytest.param(
            WindowExtend(id="open", until="2026-11-21 12:30"),
            INVALID,
            "until",
            "still to come",
            id="shortened into the past",
        ),
        pytest.param(
            WindowExtend(id="later", until="+1m"),
            INVALID,
            "until",
            "after the start",
            id="shortened before its start",
        ),
        pytest.param(WindowExtend(id="w1", by="1h"), INVALID, "by", "no end yet", id="open-ended"),
        pytest.param(
            MemberSet(url=SHARED, weight=2), CONFLICT, "url", f"blog/{SHARED}", id="two sites"
        ),
        pytest.param(MemberSet(url=A), INVALID, "state", "say a state", id="member, nothing"),
        pytest.param(WindowPlan(), ErrorCode.METHOD_NOT_FOUND, "method", "window.plan", id="plan"),
        pytest.param(
            PagePreview(), ErrorCode.METHOD_NOT_FOUND, "method", "page.preview", id="preview"
        ),
        pytest.param(
            EventsSubscribe(), ErrorCode.METHOD_NOT_FOUND, "method", "events.", id="events"
        ),
        pytest.param(
            DaemonReload(), ErrorCode.METHOD_NOT_FOUND, "method", "daemon.reload", id="reload"
        ),
    ],
)
def test_refusals(world: World, request_: Request, code: ErrorCode, field: str, words: str) -> None:
    """What makes no sense, or not now, is refused by name, and changes nothing."""
    world.ask(SiteDown(site="blog"))
    world.ask(night("open", from_="now"))
    world.ask(night("over", from_="now"))
    world.ask(WindowEnd(id="over"))
    world.ask(night("gone"))
    world.ask(WindowCancel(id="gone"))
    world.ask(night("later"))
    before = world.truth.windows, world.truth.snapshot, len(world.journal.commits)
    error = world.refused(request_)
    assert (error.code, error.field) == (code, field)
    assert words in error.message
    assert (world.truth.windows, world.truth.snapshot, len(world.journal.commits)) == before


# --- members --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "site", "found"),
    [
        pytest.param(A, None, "shop", id="by URL"),
        pytest.param(f"{A}/", None, "shop", id="with a slash"),
        pytest.param(f"blog/{SHARED}", None, "blog", id="by site and URL"),
        pytest.param(SHARED, "blog", "blog", id="by URL, the site apart"),
    ],
)
def test_member_names(world: World, url: str, site: str | None, found: str) -> None:
    """A member is named by its URL, with its site where two share it."""
    member = world.ask(MemberSet(url=url, site=site, state=MemberState.DRAIN))
    assert (member.site, member.state) == (found, MemberState.DRAIN)


def test_member_settings_add_up(world: World) -> None:
    """State and weight are set apart, published at once, and outlive a restart."""
    world.ask(MemberSet(url=A, state=MemberState.MAINT))
    member = world.ask(MemberSet(url=A, weight=0))
    assert (member.state, member.weight) == (MemberState.MAINT, 0)
    world.restart()
    view = world.published[-1].sites[0].members[0]
    assert (view.state, view.weight) == (MemberState.MAINT, 0)
    member = world.ask(MemberSet(url=A, state=MemberState.READY))
    assert (member.state, member.weight) == (MemberState.READY, 0)
    written = len(world.journal.commits)
    world.ask(MemberSet(url=A, state=MemberState.READY, weight=0))
    assert world.journal.commits[written:] == []


# --- history --------------------------------------------------------------------------------


def test_history(world: World) -> None:
    """Who did what is kept in order, in words, with the daemon's own deeds."""
    world.ask(night())
    world.ask(WindowExtend(id="night", by="30m"))
    world.ask(MemberSet(url=B, state=MemberState.DRAIN))
    world.wait(7200)
    world.restart()
    entries = world.ask(HistoryList()).entries
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
    assert world.ask(HistoryList(site="blog")).entries == ()


def test_history_to_the_second(world: World) -> None:
    """History tells times in words to the second, not to the microsecond."""
    world.step(0.25)
    world.ask(night())
    world.ask(WindowExtend(id="night", by="30m"))
    assert world.ask(HistoryList()).entries[1].detail == (
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
    assert len(world.ask(HistoryList(site="shop")).entries) == 1
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


# --- the journal before the answer ----------------------------------------------------------


def test_nothing_is_so_before_it_is_written(world: World) -> None:
    """A change is answered, published and seen by others only when the journal has it."""
    world.journal.waiting = []
    answer = world.commands.execute(SiteDown(site="shop"), ALICE)
    assert not has_fired(answer)
    assert world.phase() == "live"
    assert len(world.published) == 1
    assert world.ask(Status()).sites[0].phase is Phase.LIVE
    world.journal.let_go()
    assert [site.phase for site in result(answer)] == [Phase.DRAINING]  # type: ignore[union-attr]  # sites
    assert len(world.published) == 2


@pytest.mark.parametrize(
    "request_",
    [
        SiteDown(site="blog"),
        SiteUp(),
        night("new"),
        WindowExtend(id="open", by="1h"),
        WindowEnd(id="open"),
        WindowCancel(id="later"),
        MemberSet(url=A, weight=7),
    ],
    ids=lambda request: request.method,
)
def test_the_journal_fails(world: World, request_: Request) -> None:
    """A change that the journal refuses is refused, and nothing is changed by it."""
    world.ask(night("open", from_="now"))
    world.ask(night("later"))
    before = world.truth.windows, world.truth.snapshot
    world.journal.broken = True
    with capturedLogs():
        error = world.refused(request_)
    assert error.code is ErrorCode.INTERNAL_ERROR
    assert error.message == "nothing was changed: sorryd.db: disk I/O error"
    assert (world.truth.windows, world.truth.snapshot) == before
    world.journal.broken = False
    world.restart()
    assert world.ids() == {"open", "later"}
    world.ask(request_)  # and the next one works


def test_one_change_after_another(world: World) -> None:
    """A change is decided on what those before it have committed."""
    world.ask(night("open", from_="now"))
    world.journal.waiting = []
    ended = world.commands.execute(WindowEnd(id="open"), ALICE)
    again = world.commands.execute(WindowEnd(id="open"), ALICE)
    reading = world.commands.execute(Status(), ALICE)
    assert [has_fired(one) for one in (ended, again, reading)] == [False, False, True]
    world.journal.let_go()
    result(ended)
    with pytest.raises(ControlError, match="open is over"):
        result(again)


def test_prolonged_at_its_very_end(world: World) -> None:
    """A window whose end comes while the journal takes its new end is prolonged, not ended."""
    world.ask(night("open", from_="now"))
    world.wait(3599)
    world.journal.waiting = []
    answer = world.commands.execute(WindowExtend(id="open", by="1h"), ALICE)
    world.wait(2)
    world.journal.let_go()
    assert result(answer).until == "2026-11-21T15:00:00+01:00"  # type: ignore[union-attr]  # a window
    world.truth.look()
    assert world.phase() == "down"
    world.restart()
    assert world.phase() == "down"


def test_too_late_to_prolong(world: World) -> None:
    """A window whose end has come is over, even if nobody has looked since."""
    world.ask(night("open", from_="now"))
    world.step(3600)
    error = world.refused(WindowExtend(id="open", by="1h"))
    assert (error.code, error.message) == (ErrorCode.CONFLICT, "open is over")


def test_ten_thousand_windows(world: World) -> None:
    """Among ten thousand windows a status, a look and a member's failure take no time."""
    windows = (window(f"n{n}", NOON + n * 60, NOON + n * 60 + 30) for n in range(10_000))
    world.truth.apply([WindowPut(window=one) for one in windows])
    world.ask(Status())
    began = time.process_time()
    for _ in range(10):
        assert world.ask(Status()).sites[0].next.id.startswith("n")
        world.wait(1)
        world.truth.report(MemberFailed(site="blog", url=SHARED, why="reset"))
        world.wait(5)
    assert (time.process_time() - began) / 10 < 0.05


SITES = st.sampled_from(["shop", "blog", None])
NAMES = st.sampled_from(["a", "b", "c"])
REQUESTS = st.one_of(
    st.builds(SiteDown, site=SITES, for_=st.sampled_from([None, "3m"])),
    st.builds(SiteUp, site=SITES),
    st.builds(
        night,
        NAMES,
        st.sampled_from(["now", "+1m", "+4m"]),
        st.sampled_from(["2m", "5m"]),
        SITES,
    ),
    st.builds(WindowExtend, id=NAMES, by=st.just("1m")),
    st.builds(WindowEnd, id=NAMES),
    st.builds(WindowCancel, id=NAMES),
)


# Odd ones, so that no command comes at the very instant at which a window begins or ends.
PAUSES = st.sampled_from([0, 20.1, 60.01, 150.001])


@given(st.lists(st.tuples(REQUESTS, PAUSES, st.booleans()), max_size=8))
@settings(max_examples=60)
def test_a_restart_changes_nothing(steps: list[tuple[Request, float, bool]]) -> None:
    """Whatever was commanded, a daemon killed at any point goes on as if it had not been."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"{folder}/sorryd.db")
        for request, pause, broken in steps:
            world.journal.broken = broken
            with contextlib.suppress(ControlError):
                world.ask(request)
            world.journal.broken = False
            world.wait(pause)
            before = [world.truth.standing(site) for site in world.config.sites]
            world.restart()
            after = [world.truth.standing(site) for site in world.config.sites]
            assert [_lasting(one) for one in before] == [_lasting(one) for one in after]
        world.journal.close()


def _lasting(standing: Standing) -> tuple[object, ...]:
    return standing.phase, standing.cause, standing.window, standing.since, standing.until
