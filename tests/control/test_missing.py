"""What is said of names that nothing has, and of times that make no sense."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.control.world import HOUR, SHARED, A, B, World, night

from sorryd.control.missing import near
from sorryd.messages import (
    MemberSet,
    Request,
    SiteDown,
    WindowCancel,
    WindowExtend,
    WindowGet,
    WindowSchedule,
)
from sorryd.model import MemberState


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (SiteDown(site="shpo"),
         "there is no site shpo: did you mean shop? (there is: shop, blog)"),
        (SiteDown(site="zzz"), "there is no site zzz (there is: shop, blog)"),
        (WindowGet(id="nihgt"), "there is no window nihgt: did you mean night?"),
        (WindowCancel(id="zzz"), "there is no window zzz (open or to come: night)"),
        (WindowExtend(id="shop", by="30m"),
         "there is no window shop, that is a site; its windows are: night"),
        (WindowCancel(id="blog"),
         "there is no window blog, that is a site; its windows are: none"),
        (MemberSet(url="http://10.0.0.3:3000", site="shop", state=MemberState.DRAIN),
         f"there is no member http://10.0.0.3:3000 (there is: {A}, {B}, {SHARED})"),
        (MemberSet(url="blog", state=MemberState.DRAIN),
         f"there is no member blog, that is a site (there is: {SHARED})"),
        (SiteDown(until="2026-11-21T12:59:00+01:00"),
         "until: the end must be still to come: 2026-11-21T11:59:00+00:00 is not after "
         "2026-11-21T12:00:00+00:00"),
        (WindowSchedule(from_="+2h", until="2026-11-21T13:00:00Z"),
         "until: the end must be after the start: 2026-11-21T13:00:00+00:00 is not after "
         "2026-11-21T14:00:00+00:00"),
        (WindowSchedule(from_="02:00", for_="1h", timezone="Asia/Tokio"),
         "timezone: Asia/Tokio: no time zone of that name is known (did you mean Asia/Tokyo?)"),
        (WindowExtend(id="night", until="now"),
         "until: the end must be after the start, and still to come: 2026-11-21T13:00:00+01:00 "
         "is not after 2026-11-21T13:10:00+01:00"),
        (WindowExtend(id="night", by="-30m"),
         "by: -30m: a duration cannot be negative: to make it shorter, say until, such as +30m"),
    ],
)  # fmt: skip
def test_the_next_try_is_helped(world: World, request_: Request, said: str) -> None:
    """A refusal names what may have been meant, or what there is."""
    world.ask(night())
    assert str(world.refused(request_)) == said


def test_how_to_prolong_what_is_overdue(world: World) -> None:
    """One that waited in vain for its members can be prolonged only until a time to come."""
    world.ask(night(from_="now", until_healthy="10m"))
    world.wait(10 * HOUR)
    assert world.phase() == "down"
    assert str(world.refused(WindowExtend(id="night", by="30m"))) == (
        "by: the end must be after the start, and still to come: 2026-11-21T14:30:00+01:00 is"
        " not after 2026-11-21T23:00:00+01:00: say until, such as +30m"
    )
    world.ask(WindowExtend(id="night", until="+30m"))


def test_no_such_instance(world: World) -> None:
    """Where a series has none at the time that was said, the refusal names its next one."""
    world.ask(night("nightly", from_="2026-11-22 02:00", every="daily"))
    assert str(world.refused(WindowCancel(id="nightly@2026-11-23"))) == (
        "there is no window nightly@2026-11-23: the next of nightly is nightly@2026-11-22T02:00"
    )


def test_series_are_named_once(world: World) -> None:
    """Of a series a refusal names the series, but the instance that may have been meant."""
    world.ask(night("nightly", every="daily"))
    world.ask(night("other", from_="+3h"))
    said = str(world.refused(WindowGet(id="zzz")))
    assert said == "there is no window zzz (open or to come: nightly, other)"
    assert str(world.refused(WindowGet(id="nihgtly"))).endswith("did you mean nightly?")
    said = str(world.refused(WindowGet(id="nightly@2026-11-22 13:11")))
    assert said.startswith("there is no window nightly@2026-11-22 13:11: did you mean nightly@2026")


def test_lists_stay_short(world: World) -> None:
    """Of many windows a refusal names the first ten."""
    for number in range(12):
        world.ask(night(f"w{number:02}"))
    named = ", ".join(f"w{number:02}" for number in range(10))
    said = str(world.refused(WindowGet(id="zzz")))
    assert said == f"there is no window zzz (open or to come: {named}, 2 more)"


def test_a_guess_costs_little() -> None:
    """What may have been meant is sought among few names, and not for endless ones."""
    asked = 0

    def names() -> Iterator[str]:
        nonlocal asked
        for number in range(100_000):
            asked += 1
            yield f"w{number:05}"

    assert near("w0000", names()) != ""
    assert asked < 1000
    assert near("w" * 65, ["w" * 64]) == ""
