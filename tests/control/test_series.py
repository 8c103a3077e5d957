"""Series of windows, from the command to the phase: dialogues with the control side."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace
from tests.control.world import ALICE, HOUR, NOON, World, result, window

from sorryd.errors import ErrorCode
from sorryd.journal import HistoryEntry, WindowPut
from sorryd.messages import (
    SiteUp,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowGet,
    WindowList,
    WindowSchedule,
)
from sorryd.replies import WindowPhase

DAY = 24 * HOUR


def nightly(**fields: object) -> WindowSchedule:
    """A window every night, planned at noon: the first one is 14 hours off."""
    given = {"id": "nightly", "site": "shop", "from_": "2026-11-22 02:00", "for_": "3h"}
    return WindowSchedule(**{**given, "every": "daily", **fields})  # type: ignore[arg-type]  # rows


def to(world: World, local: str) -> None:
    """Wait until it is that time in Berlin."""
    world.wait(datetime.fromisoformat(f"2026-{local}+01:00").timestamp() - world.wall)


def past(world: World) -> list[tuple[str, WindowPhase]]:
    return [(one.id, one.phase) for one in world.ask(WindowList(past=True)) if one.every is None]


def coming(world: World, number: int = 3) -> list[str]:
    return [one.id.partition("@2026-")[2] for one in world.truth.windows if not one.is_final][
        :number
    ]


def test_a_series_is_planned(world: World) -> None:
    """A series is answered with its rule and its next instance, and is there after a restart."""
    series = world.ask(nightly())
    assert (series.id, series.every, series.phase) == ("nightly", "FREQ=DAILY", "announced")
    assert series.next is not None
    assert series.next.id == "nightly@2026-11-22T02:00"
    assert series.next.from_ == "2026-11-22T02:00:00+01:00"
    world.restart()
    (listed,) = world.ask(WindowList())
    assert listed == replace(series, warnings=())
    following = world.ask(Status()).sites[0].next
    assert (following.id, following.series) == ("nightly@2026-11-22T02:00", "nightly")


def test_it_happens_every_night(world: World) -> None:
    """Each instance opens and closes on its own, is written down, and is final."""
    world.ask(nightly())
    for night in range(22, 25):
        to(world, f"11-{night}T01:59")
        assert world.phase() == "announced"
        to(world, f"11-{night}T04:59")
        assert world.phase() == "down"
        to(world, f"11-{night}T05:00")
        assert world.phase() == "announced"
    assert past(world) == [(f"nightly@2026-11-{n}T02:00", "ended") for n in range(22, 25)]
    verbs = [entry.verb for entry in world.journal.commits]
    assert verbs == ["window.schedule", *3 * ["window.passed"]]


def test_instances_are_there_eight_days_ahead(world: World) -> None:
    """The edge has all that start within eight days, and of a rare series always the next one."""
    world.ask(nightly())
    world.ask(nightly(id="yearly", every="FREQ=YEARLY", from_="2027-01-01 02:00"))
    for _ in range(30):
        (shop, _) = world.truth.snapshot.sites
        starts = [one.start for one in shop.windows if one.series == "nightly"]
        assert starts == sorted(starts)
        assert max(starts) >= world.wall + 7 * DAY
        assert len([start for start in starts if start > world.wall]) >= 8
        assert [one.id for one in shop.windows if one.series == "yearly"] == [
            "yearly@2027-01-01T02:00"
        ]
        world.wait(DAY)


@pytest.mark.parametrize("step", [-HOUR, -DAY, -30 * DAY])
def test_no_clock_brings_one_back(world: World, step: float) -> None:
    """An instance whose end was seen does not act again, also after a restart."""
    world.ask(nightly())
    to(world, "11-23T05:00")
    began = world.wall
    world.step(step)
    world.restart()
    while world.wall < began:
        assert world.phase() in ("live", "announced")
        world.wait(HOUR / 2)
    to(world, "11-24T03:00")
    assert world.phase() == "down"


def test_the_last_one_missed_is_over(world: World) -> None:
    """What came and went while no daemon ran is over: a clock that steps back does not open it."""
    world.ask(nightly())
    world.step(5 * DAY)
    world.restart()
    assert past(world) == [("nightly@2026-11-26T02:00", "ended")]
    world.step(-9 * HOUR)
    world.truth.look()
    assert world.phase() == "announced"
    assert coming(world, 1) == ["11-27T02:00"]


def test_restart_in_an_instance(world: World) -> None:
    """A daemon that starts within an instance is down, from its beginning to its end."""
    world.ask(nightly())
    world.ask(WindowSchedule(id="before", site="shop", from_="2026-11-22 01:00", for_="65m"))
    to(world, "11-22T03:00")
    world.restart()
    assert world.phase() == "down"
    began = datetime.fromisoformat("2026-11-22T01:00+01:00").timestamp()
    assert world.truth.standing(world.config.sites[0]).since == began
    to(world, "11-22T05:00")
    assert world.phase() == "announced"


def test_one_instance_is_cancelled(world: World) -> None:
    """One instance is taken back, however its time is spelled, and the others stay; it is final."""
    world.ask(nightly())
    answer = world.ask(WindowCancel(id="nightly@2026-11-23 02:00"))
    assert (answer.id, answer.phase) == ("nightly@2026-11-23T02:00", "cancelled")
    world.ask(WindowCancel(id="nightly@2026-12-24T02:00:00+01:00"))
    assert coming(world) == ["11-22T02:00", "11-24T02:00", "11-25T02:00"]
    world.restart()
    assert coming(world) == ["11-22T02:00", "11-24T02:00", "11-25T02:00"]
    world.ask(nightly(reason="another"))
    to(world, "11-23T03:00")
    assert world.phase() == "announced"
    for _ in range(62):
        world.wait(HOUR * 12)
    assert ("nightly@2026-12-24T02:00", "cancelled") in past(world)
    assert ("nightly@2026-12-24T02:00", "ended") not in past(world)
    error = world.refused(WindowCancel(id="nightly@2026-11-23 02:00"))
    assert (error.code, error.message) == (
        ErrorCode.CONFLICT,
        "nightly@2026-11-23T02:00 was cancelled",
    )


def test_the_next_one_is_known_however_far(world: World) -> None:
    """Where the next instance is taken back, the one behind it is the next, months ahead too."""
    world.ask(nightly(every="monthly", from_="2027-02-07 02:00"))
    world.ask(WindowCancel(id="nightly@2027-02-07T02:00"))
    for _ in range(2):
        assert world.ask(Status(site="shop")).sites[0].next.id == "nightly@2027-03-07T02:00"
        world.restart()


def test_one_instance_is_changed(world: World) -> None:
    """One instance to come is prolonged and the others are not; it stays so after a restart."""
    world.ask(nightly())
    world.ask(WindowExtend(id="nightly@2026-11-23T02:00", by="1h"))
    world.restart()
    to(world, "11-22T05:00")
    assert world.phase() == "announced"
    to(world, "11-23T05:30")
    assert world.phase() == "down"
    to(world, "11-23T06:00")
    assert world.phase() == "announced"
    to(world, "11-24T05:00")
    assert world.phase() == "announced"


def test_the_open_one_is_meant(world: World) -> None:
    """`extend` and `end` of a series act on the instance that is open, and need one."""
    world.ask(nightly())
    for request in (WindowExtend(id="nightly", by="1h"), WindowEnd(id="nightly")):
        error = world.refused(request)
        assert error.code == ErrorCode.CONFLICT
        assert "say one, such as nightly@2026-11-22T02:00" in error.message
    to(world, "11-22T03:00")
    longer = world.ask(WindowExtend(id="nightly", by="30m"))
    assert (longer.id, longer.until) == ("nightly@2026-11-22T02:00", "2026-11-22T05:30:00+01:00")
    to(world, "11-22T05:10")
    assert world.phase() == "down"
    assert world.ask(WindowEnd(id="nightly")).phase is WindowPhase.ENDED
    assert world.phase() == "announced"
    world.restart()
    assert world.phase() == "announced"
    to(world, "11-23T03:00")
    assert world.phase() == "down"


def test_up_ends_the_open_one(world: World) -> None:
    """``up`` ends the instance that is open, and the next night comes all the same."""
    world.ask(nightly())
    to(world, "11-22T03:00")
    world.ask(SiteUp(site="shop"))
    assert world.phase() == "announced"
    world.restart()
    to(world, "11-22T04:00")
    assert world.phase() == "announced"
    to(world, "11-23T03:00")
    assert world.phase() == "down"


def test_a_series_is_cancelled(world: World) -> None:
    """A series is taken back with all that is to come; what is open goes on, which is said."""
    world.ask(nightly())
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00", by="1h"))
    to(world, "11-22T03:00")
    answer = world.ask(WindowCancel(id="nightly"))
    assert answer.phase is WindowPhase.CANCELLED
    assert answer.warnings == (
        "nightly@2026-11-22T02:00 is open and goes on as it was"
        " (sorryctl end nightly@2026-11-22T02:00 ends it)",
    )
    for _ in range(2):
        assert world.phase() == "down"
        assert coming(world) == ["11-22T02:00"]
        world.restart()
    to(world, "11-22T05:00")
    assert world.phase() == "live"
    assert world.truth.windows == ()
    assert world.refused(nightly()).message == "nightly is over: choose another id"
    world.ask(nightly(id="again", from_="2026-11-23 02:00"))


def test_the_same_again_changes_nothing(world: World) -> None:
    """A series that is planned again as it is stays, also where its first one is another day's."""
    world.ask(nightly(from_="02:00"))
    world.wait(DAY)
    written = len(world.journal.commits)
    again = world.ask(nightly(from_="02:00"))
    assert again.from_ == "2026-11-22T02:00:00+01:00"
    world.ask(nightly())
    assert len(world.journal.commits) == written
    world.ask(nightly(from_="03:00"))
    assert len(world.journal.commits) == written + 1


def test_a_series_is_changed(world: World) -> None:
    """It changes from now on: what is open goes on as it was, what was changed alone is dropped."""
    world.ask(nightly())
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00", by="1h"))
    world.ask(WindowCancel(id="nightly@2026-11-25T02:00"))
    to(world, "11-22T03:00")
    answer = world.ask(nightly(from_="2026-11-22 04:00", for_="30m", reason="moved"))
    assert any("is open and goes on as it was" in text for text in answer.warnings)
    assert coming(world, 4) == ["11-22T02:00", "11-22T04:00", "11-23T04:00", "11-24T04:00"]
    for _ in range(2):
        to(world, "11-22T04:50")
        assert world.phase() == "down"
        world.restart()
    to(world, "11-22T05:00")
    assert world.phase() == "announced"
    assert coming(world, 3) == ["11-23T04:00", "11-24T04:00", "11-25T04:00"]
    gone = world.ask(WindowGet(id="nightly@2026-11-24T02:00"))
    assert gone.phase is WindowPhase.CANCELLED


def test_a_changed_series_does_not_reopen(world: World) -> None:
    """An instance that was ended stays ended, though its series is made longer."""
    world.ask(nightly(for_="1h"))
    to(world, "11-22T03:10")
    assert world.phase() == "announced"
    world.ask(nightly(for_="4h"))
    assert world.phase() == "announced"
    world.restart()
    assert world.phase() == "announced"
    to(world, "11-23T05:00")
    assert world.phase() == "down"


def test_a_single_window_becomes_a_series_and_back(world: World) -> None:
    """Under the same id, also while one is open: that goes on."""
    world.ask(nightly(every=None))
    world.ask(nightly())
    assert coming(world, 2) == ["11-22T02:00", "11-23T02:00"]
    world.ask(nightly(every=None))
    assert [one.id for one in world.truth.windows] == ["nightly"]
    to(world, "11-22T03:00")
    world.ask(nightly(from_="2026-11-23 02:00"))
    assert coming(world, 2) == ["11-22T02:00", "11-23T02:00"]
    assert world.phase() == "down"
    to(world, "11-22T05:00")
    assert world.phase() == "announced"
    to(world, "11-23T03:00")
    world.ask(nightly(every=None, from_="2026-11-25 02:00"))
    for _ in range(2):
        assert world.phase() == "down"
        assert {one.id for one in world.truth.windows} >= {"nightly", "nightly@2026-11-23T02:00"}
        world.restart()
    to(world, "11-24T03:00")
    assert world.phase() == "announced"


def test_it_ends_with_its_last_one(world: World) -> None:
    """A series whose rule gives no more is over with its last instance."""
    answer = world.ask(nightly(every="FREQ=DAILY;COUNT=2"))
    assert answer.every == "FREQ=DAILY;COUNT=2"
    to(world, "11-23T04:00")
    assert world.phase() == "down"
    assert world.ask(WindowList())[0].every is not None
    to(world, "11-23T05:00")
    assert world.phase() == "live"
    assert world.truth.series == ()
    assert world.truth.windows == ()
    over = result(world.journal.get("nightly"))
    assert over is not None
    assert over.is_final
    world.step(-10 * DAY)
    world.restart()
    assert world.truth.windows == ()


def test_an_end_that_the_journal_refuses(world: World) -> None:
    """The end of an instance is final at once, and the journal is asked until it has it."""
    world.ask(nightly())
    to(world, "11-22T03:00")
    world.journal.broken = True
    to(world, "11-22T05:00")
    world.step(-HOUR)
    world.truth.look()
    assert world.phase() == "announced"
    world.journal.broken = False
    world.truth.look()
    assert past(world) == [("nightly@2026-11-22T02:00", "ended")]


def test_a_series_that_is_just_being_changed(world: World) -> None:
    """An end that comes while the journal takes a change of the series is not written over it."""
    world.ask(nightly())
    to(world, "11-22T04:59:59")
    world.journal.waiting = []
    asked = world.commands.execute(nightly(reason="changed"), ALICE)
    world.wait(2)
    world.journal.let_go()
    result(asked)
    world.truth.look()
    assert world.phase() == "announced"
    world.restart()
    (series,) = world.truth.series
    assert series.window.reason == "changed"
    assert past(world) == [("nightly@2026-11-22T02:00", "ended")]


def test_instances_wait_for_their_members(world: World) -> None:
    """An instance holds its site until the members are healthy; so it is after a restart, and
    when it has waited in vain it stays, while the next ones come all the same."""
    series = window("nightly", NOON, NOON + HOUR, every="FREQ=DAILY", until_healthy=600.0)
    change = WindowPut(window=replace(series, created=NOON))
    result(world.journal.commit((change,), HistoryEntry(at=NOON, verb="window.schedule")))
    world.truth.apply((change,))
    world.wait(HOUR + 60)
    for _ in range(2):
        assert world.phase() == "verifying"
        world.restart()
    world.wait(600)
    for _ in range(2):
        assert world.phase() == "down"
        (stuck, *others) = world.truth.windows
        assert (stuck.id, stuck.gave_up) == ("nightly@2026-11-21T13:00", NOON + HOUR + 600)
        assert others[0].id == "nightly@2026-11-22T13:00"
        world.restart()
    world.wait(DAY - HOUR)
    assert [one.start for one in world.truth.windows[:2]] == [NOON, NOON + DAY]
    assert world.phase() == "down"


def test_lists_are_short(world: World) -> None:
    """A list has each series once, and besides only instances that are open or were changed."""
    world.ask(nightly())
    world.ask(nightly(id="weekly", every="weekly", from_="2026-11-22 12:00", site="blog"))
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00", by="1h"))
    assert [one.id for one in world.ask(WindowList())] == [
        "nightly",
        "weekly",
        "nightly@2026-11-24T02:00",
    ]
    to(world, "11-22T03:00")
    assert [one.id for one in world.ask(WindowList(site="shop"))] == [
        "nightly",
        "nightly@2026-11-22T02:00",
        "nightly@2026-11-24T02:00",
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"every": "fortnightly"}, "every: FORTNIGHTLY: not a part of a rule"),
        ({"every": "FREQ=MINUTELY"}, "every: FREQ=MINUTELY: more often than HOURLY"),
        ({"every": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "never happens"),
        ({"every": "FREQ=DAILY;UNTIL=20261101"}, "before the first one"),
        (
            {"every": "FREQ=DAILY;COUNT=3", "from_": "2026-11-01 02:00"},
            "every: the last one is over already",
        ),
    ],
)
def test_rules_that_are_refused(world: World, fields: dict[str, object], words: str) -> None:
    """A rule that makes no sense is refused by name, and nothing is planned."""
    error = world.refused(nightly(**fields))
    assert (error.code, error.field) == (ErrorCode.INVALID_PARAMS, "every")
    assert words in error.message
    assert world.truth.windows == ()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"every": "FREQ=WEEKLY;BYDAY=MO"},
            "FREQ=WEEKLY;BYDAY=MO has not got the first one itself, which is held all the same:"
            " the next one is 2026-11-23T02:00:00+01:00",
        ),
        ({"every": "FREQ=DAILY;COUNT=1"}, "it happens once"),
        ({"for_": "30h"}, "each lasts 1d6h, and the next one begins before that is over"),
        (
            {"every": "monthly", "from_": "2027-01-31 02:00"},
            "months without a day 31 have none (BYMONTHDAY=-1 is the last day)",
        ),
        (
            {"every": "FREQ=YEARLY", "from_": "2028-02-29 02:00"},
            "years without a 29 February have none",
        ),
        (
            {"from_": "2026-11-01 02:00"},
            "the first one is over already: the next one is 2026-11-22T02:00:00+01:00",
        ),
        (
            {"from_": "2027-03-28 01:00", "for_": None, "until": "2027-03-28 05:00"},
            "the clock changes in the first one: each lasts 3h",
        ),
        (
            {"from_": "2026-11-22 02:30"},
            "the clock in Europe/Berlin skips 2027-03-28 02:30: it starts at 2027-03-28 03:30",
        ),
        (
            {"from_": "2026-11-22 02:30"},
            "the clock in Europe/Berlin shows 2027-10-31 02:30 twice: it starts at the first",
        ),
    ],
)
def test_warnings(world: World, fields: dict[str, object], words: str) -> None:
    """What an operator may not have meant is planned, and said."""
    assert words in world.ask(nightly(**fields)).warnings


def test_nothing_to_warn_of(world: World) -> None:
    """A plain series in a zone without clock changes needs no words."""
    assert world.ask(nightly(timezone="Asia/Tokyo")).warnings == ()


def test_overlaps(world: World) -> None:
    """A series is held against windows of a year, and both ways round; of each series once."""
    world.ask(WindowSchedule(id="far", site="shop", from_="2027-05-01 03:00", for_="1h"))
    world.ask(WindowSchedule(id="other", site="blog", from_="2027-05-01 03:00", for_="1h"))
    warnings = world.ask(nightly()).warnings
    assert "overlaps far (2027-05-01T03:00:00+02:00 to 2027-05-01T04:00:00+02:00)" in warnings
    assert not any("other" in text for text in warnings)
    late = WindowSchedule(id="late", site=None, from_="2027-06-01 02:59", for_="1h")
    assert world.ask(late).warnings == (
        "overlaps nightly@2027-06-01T02:00 (2027-06-01T00:00:00+00:00 to"
        " 2027-06-01T03:00:00+00:00)",
    )
    more = world.ask(nightly(id="weekly", every="weekly", from_="2026-11-22 01:00")).warnings
    assert any(text.startswith("overlaps nightly@2026-11-22T02:00 (") for text in more)
    assert any(text.endswith(", and 4 more of nightly") for text in more)
    world.ask(WindowCancel(id="nightly@2027-07-01T02:00"))
    free = WindowSchedule(id="free", site="shop", from_="2027-07-01 03:00", for_="1h")
    assert world.ask(free).warnings == ()
