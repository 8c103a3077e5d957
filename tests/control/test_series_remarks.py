"""What is refused of a series, and what an operator is warned of."""

from __future__ import annotations

import pytest
from tests.control.nights import nightly
from tests.control.world import World

from sorryd.errors import ErrorCode
from sorryd.messages import WindowCancel, WindowSchedule


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
