"""Series under clocks that jump, daemons that die and operators who change their minds."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from typing import Final, NamedTuple, assert_never

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.control.world import CONFIG, HOUR, World, result

from sorryd.control.series import AHEAD
from sorryd.errors import ControlError
from sorryd.messages import Request, SiteUp, WindowCancel, WindowEnd, WindowExtend, WindowSchedule
from sorryd.policy.windows import Standing

DAY: Final = 24 * HOUR


class Change(NamedTuple):
    """The window or series number `which` is changed by hand."""

    which: int
    how: str


class Waited(NamedTuple):
    """Both clocks go on."""

    seconds: float


class Jumped(NamedTuple):
    """The wall clock is set."""

    seconds: float


Deed = WindowSchedule | Change | Waited | Jumped

RULES = st.sampled_from(
    (
        *("daily", "FREQ=HOURLY;INTERVAL=5", "weekly", "FREQ=DAILY;COUNT=3", None),
        *("FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=DAILY;UNTIL=20261125", "FREQ=DAILY;INTERVAL=2"),
    )
)


def ask(world: World, request: Request) -> None:
    """Ask, whether it is granted or not."""
    with suppress(ControlError):  # such as an instance that is not open: nothing has changed
        world.ask(request)


@st.composite
def scheduling(draw: st.DrawFn) -> WindowSchedule:
    """A series, or a single window, is planned or changed."""
    return WindowSchedule(
        id=draw(st.sampled_from("ab")),
        site=draw(st.sampled_from(("shop", None))),
        from_=f"2026-11-{draw(st.integers(20, 24))} {draw(st.integers(0, 23)):02}:30",
        for_=draw(st.sampled_from(("30m", "4h", "30h"))),
        every=draw(RULES),
    )


HOWS = st.sampled_from(("end", "end", "longer", "shorter", "cancel", "cancel", "up"))
DEEDS = st.lists(
    st.one_of(
        scheduling(),
        st.builds(Change, st.integers(0, 5), HOWS),
        st.sampled_from((HOUR / 3, 2 * HOUR, 7 * HOUR, DAY, 3 * DAY)).map(Waited),
        st.sampled_from((-2 * DAY, -5 * HOUR, HOUR, 4 * DAY, 20 * DAY)).map(Jumped),
    ),
    max_size=12,
)


def do(world: World, deed: Deed) -> None:
    """Do it, and look."""
    match deed:
        case WindowSchedule():
            ask(world, deed)
        case Change(which=which, how=how):
            names = [one.id for one in world.truth.windows if not one.is_final] + ["a", "b"]
            ask(world, changing(names[which % len(names)], how))
        case Waited(seconds=seconds):
            world.wait(seconds)
        case Jumped(seconds=seconds):
            world.step(seconds)
        case _:
            assert_never(deed)
    world.truth.look()


def changing(name: str, how: str) -> Request:
    match how:
        case "longer":
            return WindowExtend(id=name, by="9h")
        case "shorter":
            return WindowExtend(id=name, until="+10m")
        case "cancel":
            return WindowCancel(id=name)
        case "end":
            return WindowEnd(id=name)
        case _:
            return SiteUp(site="shop")


def held(world: World) -> list[tuple[object, ...]]:
    """What the sites stand at, for those who look from outside."""
    return [facts(world.truth.standing(site), world.wall) for site in CONFIG.sites]


def facts(one: Standing, now: float) -> tuple[object, ...]:
    """Of a down-time that goes on for ever it is known only how far it goes at least."""
    until = None if one.until is None else min(one.until, now + AHEAD)
    return one.phase, one.cause, one.reason, until, one.window, one.next and one.next.id


def kept(world: World) -> set[str]:
    """The windows that the journal has, and that are not over."""
    return {one.id for one in world.truth.windows if world.truth.is_kept(one) and not one.is_final}


def near(world: World) -> set[str]:
    """The windows that may act or start within eight days."""
    return {
        one.id
        for one in world.truth.windows
        if not one.is_final and one.start <= world.wall + AHEAD
    }


def planned(first: str, lasts: str, every: str | None, site: str | None = "shop") -> WindowSchedule:
    return WindowSchedule(id="a", site=site, from_=first, for_=lasts, every=every)


# The site's zone is not that of all sites: one name in both zones means two instants.
OPEN_IN_ANOTHER_ZONE: Final = [
    planned("2026-11-20 00:30", "30m", "daily"),
    planned("2026-11-20 01:30", "30m", "FREQ=HOURLY;INTERVAL=5", site=None),
    planned("2026-11-20 00:30", "30m", "daily"),
]
OVER_IN_ANOTHER_ZONE: Final = [
    Waited(DAY),
    planned("2026-11-20 00:30", "30m", "daily"),
    planned("2026-11-20 02:30", "30h", "daily", site=None),
]
# The last one of those that came and went unseen had been taken back.
TAKEN_BACK_UNSEEN: Final = [Change(3, "cancel"), Jumped(4 * DAY), Jumped(-2 * DAY)]

# A series becomes a single window, and a series again: what was over of it stays over.
A_SINGLE_MEANWHILE: Final = [
    Change(0, "end"),
    planned("2026-11-25 02:30", "30h", None),
    planned("2026-11-21 02:30", "30h", "daily"),
]
A_SINGLE_AT_THE_SAME_TIME: Final = [
    Change(0, "end"),
    planned("2026-11-21 02:30", "30h", None),
    planned("2026-11-21 02:30", "4h", "daily"),
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scheduling(), DEEDS)
@example(planned("2026-11-20 01:30", "4h", "FREQ=HOURLY;INTERVAL=5"), OPEN_IN_ANOTHER_ZONE)
@example(planned("2026-11-20 02:30", "30m", "daily"), OVER_IN_ANOTHER_ZONE)
@example(planned("2026-11-20 01:30", "30m", "daily"), TAKEN_BACK_UNSEEN)
@example(planned("2026-11-21 02:30", "30h", "daily"), A_SINGLE_MEANWHILE)
@example(planned("2026-11-21 02:30", "30h", "daily"), A_SINGLE_AT_THE_SAME_TIME)
def test_whatever_happens(first: WindowSchedule, deeds: list[Deed]) -> None:
    """What is over stays over, and a daemon that dies at any time comes back to the same."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"{folder}/sorryd.db")
        over: set[str] = set()
        for deed in (first, *deeds):
            do(world, deed)
            over |= {one.id for one in result(world.journal.past(None, 10_000))}
            alive = {one.id for one in world.truth.windows if not one.is_final}
            assert not over & alive
            before = held(world), near(world), {one.window.id for one in world.truth.series}
            world.restart()
            after = held(world), near(world), {one.window.id for one in world.truth.series}
            assert after == before
        world.journal.close()


# Planned anew while the clock was a day ahead, and again when it was right.
AHEAD_OF_TIME: Final = [
    Waited(DAY),
    planned("2026-11-20 01:30", "30m", "daily"),
    Jumped(-2 * DAY),
    planned("2026-11-20 00:30", "30m", "daily"),
]

# One was seen to be over while the clock was a day ahead, and then it was no series for a while.
OVER_AHEAD_OF_TIME: Final = [
    Waited(DAY),
    Jumped(-2 * DAY),
    planned("2026-11-21 01:30", "30m", None),
    planned("2026-11-20 01:30", "30m", "FREQ=HOURLY;INTERVAL=5"),
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scheduling(), DEEDS)
@example(planned("2026-11-20 19:30", "30m", "daily"), AHEAD_OF_TIME)
@example(planned("2026-11-20 01:30", "30m", "daily"), OVER_AHEAD_OF_TIME)
def test_incremental_is_afresh(first: WindowSchedule, deeds: list[Deed]) -> None:
    """After any story the instances are those that a daemon finds that starts only now."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"{folder}/sorryd.db")
        for deed in (first, *deeds):
            do(world, deed)
        before = held(world), near(world), kept(world)
        series = {one.window for one in world.truth.series}
        world.restart()
        assert (held(world), near(world), kept(world)) == before
        assert {one.window for one in world.truth.series} == series
        world.journal.close()
