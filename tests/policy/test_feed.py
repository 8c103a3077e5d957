"""Windows as an iCalendar object, read back by the library."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from msgspec.structs import replace
from tests.policy.windows import planned

from sorryd.policy.feed import feed, uid
from sorryd.window import Saying, Scope, WindowKind

NIGHT = replace(
    planned("night", 7200.0, 10800.0, reason="new disks"), timezone="Asia/Tokyo", created=60.0
)


def events(text: str) -> list[Any]:
    """The events of a calendar."""
    return list(Calendar.from_ical(text).walk("VEVENT"))


def only(text: str) -> Any:
    """The one event of a calendar."""
    (event,) = events(text)
    return event


def at(instant: float) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def test_calendar() -> None:
    """The calendar says what it is, and how often to look again."""
    calendar = Calendar.from_ical(feed((), "shop"))
    assert (calendar["version"], calendar["method"]) == ("2.0", "PUBLISH")
    assert calendar["x-wr-calname"] == calendar["name"] == "Maintenance: shop"
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in feed((), None)


def test_event() -> None:
    """An event has the times in UTC, the site and the reason, and names nobody."""
    event = only(feed([NIGHT], None))
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (at(7200), at(10800))
    assert event["summary"] == "Maintenance: shop (new disks)"
    assert event["description"] == "new disks\nshop, window night"
    assert (event["status"], event["transp"], event["sequence"]) == ("CONFIRMED", "TRANSPARENT", 0)
    assert event["categories"].cats == ["MAINTENANCE", "PLANNED"]
    assert event.decoded("dtstamp") == event.decoded("last-modified") == at(60)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"scope": Scope(paths=("/a", "/b"))}, "Only /a, /b"),
        ({"scope": Scope(methods=("unsafe",))}, "Only what changes something"),
        ({"scope": Scope(members=("http://a",))}, "Only some of the members"),
        ({"reasons": (Saying(language="ja", text="新しい"),)}, "ja: 新しい"),
        ({"until_text": "noon"}, "Until noon"),
        ({"site": None}, "every site, window night"),
        ({"kind": WindowKind.MANUAL}, "shop, down by hand night"),
    ],
)
def test_description(fields: dict[str, Any], line: str) -> None:
    """The description tells what of the site it is, in what words, and until when."""
    assert line in only(feed([replace(NIGHT, **fields)], None))["description"].splitlines()


def test_changes() -> None:
    """A change counts SEQUENCE on and moves DTSTAMP; the UID stays."""
    before = only(feed([NIGHT], None))
    after = only(feed([replace(NIGHT, end=9000.0, sequence=2, changed=600.0)], None))
    assert after["uid"] == before["uid"]
    assert (after["sequence"], after.decoded("dtstamp")) == (2, at(600))


def test_cancelled() -> None:
    """A window that was taken back stays, as cancelled."""
    event = only(feed([replace(NIGHT, cancelled=300.0)], None))
    assert (event["status"], event.decoded("dtstamp")) == ("CANCELLED", at(300))


def test_names() -> None:
    """The UID is another one for another window, and for one of that id in another journal."""
    others = [replace(NIGHT, id="day"), replace(NIGHT, created=61.0)]
    assert len({uid(one) for one in (NIGHT, *others)}) == 3


def test_same_bytes() -> None:
    """The same windows give the same bytes."""
    assert feed([NIGHT], None) == feed([NIGHT], None)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_reason(reason: str, other: str) -> None:
    """Whatever a reason holds, the calendar is whole, its lines are short, and it is read back."""
    window = replace(NIGHT, reason=reason, reasons=(Saying(language="ja", text=other),))
    text = feed([window, replace(window, id="next")], None)
    lines = text.encode().split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert not any(byte < 32 and byte != 9 for line in lines for byte in line)
    first, second = events(text)
    assert (first["uid"], second["uid"]) == (uid(window), uid(replace(window, id="next")))
    told = first["description"]
    assert [one for one in reason if one.isalnum()] == [
        one for one in told[: len(reason)] if one.isalnum()
    ]
