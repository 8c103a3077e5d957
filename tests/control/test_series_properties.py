"""Series under clocks that jump, daemons that die and operators who change their minds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.control.world import CONFIG, HOUR, World, result

from sorryd.control.series import AHEAD
from sorryd.messages import (
    ControlError,
    Request,
    SiteUp,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowSchedule,
)
from sorryd.policy.windows import Standing

DAY: Final = 24 * HOUR
Deed = Callable[[World], None]

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
def scheduling(draw: st.DrawFn) -> Deed:
    """A series, or a single window, is planned or changed."""
    request = WindowSchedule(
        id=draw(st.sampled_from("ab")),
        site=draw(st.sampled_from(("shop", None))),
        from_=f"2026-11-{draw(st.integers(20, 24))} {draw(st.integers(0, 23)):02}:30",
        for_=draw(st.sampled_from(("30m", "4h", "30h"))),
        every=draw(RULES),
    )
    return lambda world: ask(world, request)


@st.composite
def changing(draw: st.DrawFn) -> Deed:
    """One of the instances, or a series, is changed by hand."""
    which, by = draw(st.integers(0, 5)), draw(st.sampled_from(("1h", "9h")))
    what = draw(st.sampled_from("eexxcccu"))

    def change(world: World) -> None:
        names = [one.id for one in world.truth.windows if not one.is_final] + ["a", "b"]
        name = names[which % len(names)]
        match what:
            case "x":
                ask(world, WindowExtend(id=name, by=by))
            case "c":
                ask(world, WindowCancel(id=name))
            case "e":
                ask(world, WindowEnd(id=name))
            case _:
                ask(world, SiteUp(site="shop"))

    return change


def waiting(seconds: float) -> Deed:
    return lambda world: world.wait(seconds)


def jumping(seconds: float) -> Deed:
    return lambda world: world.step(seconds)


DEEDS = st.lists(
    st.one_of(
        scheduling(),
        changing(),
        st.sampled_from((HOUR / 3, 2 * HOUR, 7 * HOUR, DAY, 3 * DAY)).map(waiting),
        st.sampled_from((-2 * DAY, -5 * HOUR, HOUR, 4 * DAY, 20 * DAY)).map(jumping),
    ),
    max_size=12,
)


def held(world: World) -> list[tuple[object, ...]]:
    """What the sites stand at, for those who look from outside."""
    return [facts(world.truth.standing(site)) for site in CONFIG.sites]


def facts(one: Standing) -> tuple[object, ...]:
    return one.phase, one.cause, one.reason, one.until, one.window, one.next


def near(world: World) -> set[str]:
    """The windows that may act or start within eight days."""
    return {
        one.id
        for one in world.truth.windows
        if not one.is_final and one.start <= world.wall + AHEAD
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scheduling(), DEEDS)
def test_whatever_happens(first: Deed, deeds: list[Deed]) -> None:
    """What is over stays over, and a daemon that dies at any time comes back to the same."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"{folder}/sorryd.db")
        over: set[str] = set()
        for deed in (first, *deeds):
            deed(world)
            world.truth.look()
            over |= {one.id for one in result(world.journal.past(None, 10_000))}
            alive = {one.id for one in world.truth.windows if not one.is_final}
            assert not over & alive
            before = held(world), near(world), {one.window.id for one in world.truth.series}
            world.restart()
            after = held(world), near(world), {one.window.id for one in world.truth.series}
            assert after == before
        world.journal.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scheduling(), DEEDS)
def test_incremental_is_afresh(first: Deed, deeds: list[Deed]) -> None:
    """After any story the instances are those that a daemon finds that starts only now."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"{folder}/sorryd.db")
        for deed in (first, *deeds):
            deed(world)
            world.truth.look()
        before = held(world), near(world)
        kept = {one.id for one in world.truth.windows if world.truth.is_kept(one)}
        series = {one.window for one in world.truth.series}
        world.restart()
        assert (held(world), near(world)) == before
        assert {one.id for one in world.truth.windows if world.truth.is_kept(one)} == kept
        assert {one.window for one in world.truth.series} == series
        world.journal.close()
