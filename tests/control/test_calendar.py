"""The calendar that others subscribe to, as the control socket gives it."""

from __future__ import annotations

from typing import Any

from icalendar import Calendar
from tests.control.world import HOUR, World, night

from sorryd.messages import (
    CalendarGet,
    SiteDown,
    SiteUp,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowList,
    WindowSchedule,
)


def events(world: World, site: str | None = None) -> dict[str, Any]:
    """The events of the calendar by the id of their window."""
    result = world.ask(CalendarGet(site=site))
    found = list(Calendar.from_ical(result.calendar).walk("VEVENT"))
    assert len(found) == result.events
    return {str(one["description"]).split()[-1]: one for one in found}


def test_it_has_what_the_list_has(world: World) -> None:
    """Each window of the list is an event, with the same times."""
    world.ask(night("one"))
    world.ask(night("two", from_="+3h", site=None))
    world.ask(SiteDown(site="blog", for_="2h"))
    listed = {
        one.id: (one.from_, one.until) for one in world.ask(WindowList()) if one.until is not None
    }
    found = events(world)
    assert set(found) == set(listed)
    for name, times in listed.items():
        start, end = (found[name].decoded(key).timestamp() for key in ("dtstart", "dtend"))
        window = world.truth.find(name)
        assert window is not None
        assert (start, end) == (window.start, window.end), times


def test_changes_count(world: World) -> None:
    """Each change by an operator counts on; saying the same again does not."""
    world.ask(night())
    world.wait(60)
    sequences = [events(world)["night"]["sequence"]]
    for request in (
        night(from_="+9m"),
        WindowExtend(id="night", by="30m"),
        night(from_="+19m"),
        WindowCancel(id="night"),
    ):
        world.ask(request)
        sequences.append(events(world)["night"]["sequence"])
    assert sequences == [0, 0, 1, 2, 3]
    assert events(world)["night"]["status"] == "CANCELLED"


def test_ended_by_hand_and_by_itself(world: World) -> None:
    """What is over keeps its event; one that was ended early has its real end, and counts on."""
    world.ask(night("early"))
    world.ask(night("whole", site="blog"))
    world.wait(HOUR / 2)
    world.ask(WindowEnd(id="early"))
    world.wait(HOUR)
    found = events(world)
    assert (found["early"]["sequence"], found["whole"]["sequence"]) == (1, 0)
    lasted = found["early"].decoded("dtend") - found["early"].decoded("dtstart")
    assert lasted.total_seconds() == HOUR / 2 - 600


def test_the_same_twice(world: World) -> None:
    """Without changes the calendar is the same to the byte, also after a restart."""
    world.ask(night())
    world.ask(WindowSchedule(from_="+1d", for_="1h", id="daily", every="daily"))
    world.ask(SiteDown(site="blog"))
    before = world.ask(CalendarGet()).calendar
    world.wait(300)
    assert world.ask(CalendarGet()).calendar == before
    world.restart()
    assert world.ask(CalendarGet()).calendar == before


def test_one_instance_cancelled(world: World) -> None:
    """An instance that was taken back is there as cancelled, under the UID that it had."""
    world.ask(WindowSchedule(from_="+1d", for_="1h", id="daily", every="daily"))
    before = events(world)
    name = sorted(before)[1]
    world.ask(WindowCancel(id=name))
    after = events(world)
    assert after[name]["uid"] == before[name]["uid"]
    assert (after[name]["status"], after[name]["sequence"]) == ("CANCELLED", 1)
    assert set(after) == set(before)


def test_site(world: World) -> None:
    """A site's calendar has its windows and those for every site; an unknown site is refused."""
    world.ask(night("shop"))
    world.ask(night("blog", site="blog"))
    world.ask(night("all", site=None))
    assert set(events(world, "shop")) == {"shop", "all"}
    world.wait(700)
    world.ask(SiteUp(site="shop"))
    assert set(events(world, "shop")) == {"shop"}
    assert world.refused(CalendarGet(site="no")).field == "site"
