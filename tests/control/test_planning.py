"""window.plan and dry runs: what will happen, told ahead, and what then happens."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from msgspec.structs import replace
from tests.control.world import CONFIG, HOUR, World

from sorryd.control.planning import MOST
from sorryd.messages import (
    Request,
    SiteDown,
    WindowCancel,
    WindowExtend,
    WindowPlan,
    WindowSchedule,
)
from sorryd.replies_plan import Planned


def planned(**fields: object) -> WindowSchedule:
    given = {"id": "night", "site": "shop", "from_": "2026-11-22 02:30", "for_": "2h"}
    return WindowSchedule(**{**given, **fields})  # type: ignore[arg-type]  # rows


def plan(world: World, *requests: Request, days: int = 1, site: str | None = None) -> list[Planned]:
    """What is planned once these requests were carried out."""
    for request in requests:
        world.ask(request)
    return list(world.ask(WindowPlan(days=days, site=site)).windows)


def parse(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_an_instance_is_told_whole(world: World) -> None:
    """Local and UTC times, announcement, drain, and what visitors will read."""
    (one,) = plan(world, planned(every="daily", reason="disks"))
    assert (one.id, one.series, one.lasts) == ("night@2026-11-22T02:30", "night", 7200.0)
    assert (one.from_, one.until) == ("2026-11-22T02:30:00+01:00", "2026-11-22T04:30:00+01:00")
    assert (one.from_utc, one.until_utc) == (
        "2026-11-22T01:30:00+00:00",
        "2026-11-22T03:30:00+00:00",
    )
    (shop,) = one.sites
    assert shop.announced == "2026-11-21T02:30:00+01:00"
    assert shop.drained == "2026-11-22T02:30:30+01:00"
    assert shop.spoken == "Sunday, 22 November 2026, 04:30 CET"
    assert (shop.reason, shop.retry_after) == ("disks", 7200)
    assert (one.overlaps, one.warnings) == ((), ())


def test_what_is_told_is_what_happens(world: World) -> None:
    """At the start of each window told of, the site stands as was told."""
    told = plan(
        world,
        planned(id="a", every="daily", reason="a"),
        planned(id="b", every="FREQ=HOURLY;INTERVAL=5", for_="45m", reason="b"),
        planned(id="c", site=None, from_="2026-11-22 04:00", for_="3h", reason="c"),
        WindowCancel(id="a@2026-11-23T02:30"),
        WindowExtend(id="a@2026-11-24T02:30", by="5h"),
        days=4,
    )
    assert len(told) > 20
    assert "a@2026-11-23T02:30" not in {one.id for one in told}
    for one in told:
        at = parse(one.from_utc)
        world.wait(at - world.wall)
        for site in one.sites:
            (config,) = (each for each in CONFIG.sites if each.name == site.site)
            held = world.truth.standing(config)
            assert held.reason == site.reason
            assert held.until is not None
            assert math.ceil(held.until - at) == site.retry_after
            assert (site.drained is not None) is (held.phase.value == "draining"), one.id


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        pytest.param(
            planned(from_="2027-03-28 01:30"),
            "the clock in Europe/Berlin goes from 2027-03-28 02:00 to 2027-03-28 03:00",
            id="over the gap",
        ),
        pytest.param(
            planned(from_="2027-03-28 03:00"),
            "the clock in Europe/Berlin goes from 2027-03-28 02:00 to 2027-03-28 03:00",
            id="from the gap on",
        ),
        pytest.param(
            planned(from_="2027-10-31 01:30", for_="4h"),
            "the clock in Europe/Berlin goes from 2027-10-31 03:00 to 2027-10-31 02:00",
            id="over the hour shown twice",
        ),
        pytest.param(
            planned(from_="2027-10-31 02:30"),
            "the clock in Europe/Berlin shows 2027-10-31 02:30 twice: it starts at the first",
            id="starts in it",
        ),
        pytest.param(
            planned(from_="2027-10-31 01:30"),
            "the clock in Europe/Berlin shows 2027-10-31 02:30 twice: it ends at the second",
            id="ends in it",
        ),
        pytest.param(
            planned(from_="2027-03-28 02:30"),
            "overlaps other (2027-03-28T03:00:00+02:00 to 2027-03-28T04:00:00+02:00)",
            id="overlap",
        ),
    ],
)
def test_warnings(world: World, request_: WindowSchedule, words: str) -> None:
    """A dry run tells what the clock does to a window, and what it overlaps with."""
    world.ask(planned(id="other", from_="2027-03-28 03:00", for_="1h"))
    (one,) = world.ask(replace(request_, dry_run=True)).plan
    assert words in one.warnings
    quiet = planned(timezone="Asia/Tokyo", from_="2027-03-28 14:00", dry_run=True)
    assert world.ask(quiet).plan[0].warnings == ()


def test_a_skipped_start_is_told(world: World) -> None:
    """Of an instance whose time the clock skips it is told when it starts instead."""
    world.ask(planned(every="daily", from_="2027-03-27 02:30"))
    world.wait(parse("2027-03-28T00:00:00+01:00") - world.wall)
    (one,) = plan(world)
    assert one.id == "night@2027-03-28T03:30"
    assert one.warnings == (
        "the clock in Europe/Berlin skips 2027-03-28 02:30: it starts at 2027-03-28 03:30",
    )


def test_a_dry_run_of_a_series(world: World) -> None:
    """A dry run of a series tells its next five instances, and keeps nothing."""
    world.ask(planned(id="far", from_="2027-03-25 03:00", for_="1h"))
    asked = planned(every="FREQ=MONTHLY;BYMONTHDAY=25", dry_run=True)
    found = world.ask(asked).plan
    assert [one.from_[:10] for one in found] == [
        "2026-11-22",
        "2026-11-25",
        "2026-12-25",
        "2027-01-25",
        "2027-02-25",
    ]
    written = len(world.journal.commits)
    world.ask(replace(asked, dry_run=False))
    again = world.ask(replace(asked, for_="3h")).plan
    assert [one.overlaps for one in again] == 5 * [()]
    assert again[0].until == "2026-11-22T05:30:00+01:00"
    assert len(world.journal.commits) == written + 1
    error = world.refused(planned(every="never", dry_run=True))
    assert error.field == "every"


def test_one_site(world: World) -> None:
    """Asked for one site, the plan has its windows, and those of every site with what it reads."""
    told = plan(
        world,
        planned(id="a"),
        planned(id="b", site="blog"),
        planned(id="c", site=None, from_="2026-11-22 10:00"),
        site="blog",
    )
    assert [(one.id, [of.site for of in one.sites]) for one in told] == [
        ("b", ["blog"]),
        ("c", ["blog"]),
    ]


def test_what_is_open_is_told(world: World) -> None:
    """What is open by now is told too, also a down without an end, and what is over is not."""
    world.ask(planned(id="over", from_="now", for_="1h"))
    world.ask(planned(id="open", from_="now", for_="3h"))
    world.wait(HOUR)
    told = plan(world, SiteDown(site="shop", reason="by hand"))
    assert [(one.id, one.lasts) for one in told] == [("open", 10800.0), ("w1", None)]
    assert told[1].until is None
    assert [one.overlaps for one in told] == [("w1",), ("open",)]
    assert told[1].sites[0].reason == "by hand"
    assert told[1].sites[0].retry_after == 30


def test_there_are_more(world: World) -> None:
    """Of very many windows the first ones are told, and that there are more."""
    world.ask(planned(every="FREQ=HOURLY", for_="1m"))
    world.ask(planned(id="other", every="FREQ=HOURLY", for_="1m", site="blog"))
    told = world.ask(WindowPlan(days=30))
    assert (len(told.windows), told.more) == (MOST, True)
    few = world.ask(WindowPlan(days=2))
    assert not few.more
    assert few.windows == told.windows[: len(few.windows)]
