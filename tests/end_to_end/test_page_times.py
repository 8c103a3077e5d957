"""The shipped page in a real browser: what time it is, for the reader."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.end_to_end.chromium import NEEDS_CHROMIUM, Tab
from tests.end_to_end.shelf import Shelf, outage

from sorryd.model import Cause
from sorryd.policy.facts import Facts

pytestmark = NEEDS_CHROMIUM

MINUTE = 60
HOUR = 3600
DAY = 86400


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """A page to set the time of."""
    with Shelf({"one": outage(until=HOUR)}) as one:
        yield one


def seconds(tab: Tab) -> int:
    """What the countdown says: English minutes and seconds."""
    minute, _, second, _ = tab.text("#count").split()
    return int(minute) * 60 + int(second)


@pytest.mark.parametrize(
    ("language", "until", "units"),
    [
        ("en", 40, ["sec"]),
        ("en", 10 * MINUTE, ["min", "sec"]),
        ("en", 2 * HOUR + 5 * MINUTE + 30, ["hr", "min", "sec"]),
        ("en", 3 * DAY - 30, ["days", "hr", "min"]),
        ("ja", 2 * HOUR + 5 * MINUTE + 30, ["時間", "分", "秒"]),
    ],
)
def test_units(tab: Tab, shelf: Shelf, language: str, until: float, units: list[str]) -> None:
    """The countdown says what matters of the time left, and the title says the minutes."""
    shelf.facts["one"] = outage(until=until)
    tab.language(language)
    tab.open(shelf.url(language, "one"))
    said = tab.text("#count").split()
    assert said[1::2] == units
    assert all(number.isdigit() and len(number) == 2 for number in said[2::2])
    assert units[0] in tab.value("document.title") or units == ["sec"]


def test_it_runs(tab: Tab, shelf: Shelf) -> None:
    """Each second one less, to the end that the page tells."""
    shelf.facts["one"] = outage(until=10 * MINUTE)
    tab.language("en")
    before = time.time()
    tab.open(shelf.url("en", "one"))
    end = tab.value("Date.parse(document.querySelector('#until').dateTime) / 1000")
    said = [seconds(tab)]
    assert end - time.time() <= said[0] <= end - before + 1
    while said[-1] > said[0] - 3:
        tab.until(f"!document.querySelector('#count').innerText.includes('{said[-1] % 60} sec')")
        said.append(seconds(tab))
    assert said == sorted(said, reverse=True)


HANDS = """
    ["hour", "minute"].map(id => document.getElementById(id).style.transform)
"""


@pytest.mark.parametrize(
    ("zone", "yours", "hour", "minute"),
    [
        pytest.param("Asia/Tokyo", None, 150, 0, id="the site's own zone"),
        pytest.param("Asia/Seoul", None, 150, 0, id="the same time by another name"),
        pytest.param(
            "America/New_York", "Saturday, November 21, 2026 at 3:00 PM EST", 450, 0, id="far"
        ),
        pytest.param(
            "Asia/Kolkata", "Sunday, November 22, 2026 at 1:30 AM GMT+5:30", 45, 180, id="half"
        ),
    ],
)
def test_the_readers_own_zone(
    tab: Tab, shelf: Shelf, zone: str, yours: str | None, hour: int, minute: int
) -> None:
    """Who lives by another time is told it beside the site's, and the clock shows it."""
    at = 1795291200.0  # 2026-11-22 05:00 in Tokyo
    shelf.facts["one"] = Facts(
        site="shop.example", cause=Cause.WINDOW, timezone="Asia/Tokyo", until=at
    )
    tab.zone(zone)
    tab.language("en-US")
    tab.before_scripts(f"Date.now = () => {(at - HOUR) * 1000:.0f};")
    tab.open(shelf.url("en", "one"))
    assert tab.text("#until") == "Sunday, 22 November 2026, 05:00 JST"
    row = "document.querySelector('#yours')"
    assert tab.value(f"{row}.checkVisibility()") is (yours is not None)
    if yours is not None:
        assert tab.text("#yours") == yours
    assert tab.value(HANDS) == [f"rotate({hour}deg)", f"rotate({minute}deg)"]


def test_as_the_reader_writes_it(tab: Tab, shelf: Shelf) -> None:
    """The page's language is written as in the reader's country."""
    tab.zone("Europe/London")
    tab.language("de-CH,en-GB")
    tab.open(shelf.url("en", "one"))
    assert tab.value("navigator.languages").count("en-GB") == 1
    assert " at " in tab.text("#yours")
    assert "AM" not in tab.text("#yours")
    assert "PM" not in tab.text("#yours")


@pytest.mark.parametrize("wrong", [-HOUR, HOUR, 3 * DAY])
def test_the_readers_clock_is_wrong(tab: Tab, shelf: Shelf, wrong: int) -> None:
    """The first answer of the server puts the countdown right, whatever the reader's clock says."""
    shelf.facts["one"] = outage(until=10 * MINUTE)
    tab.language("en")
    tab.before_scripts(f"const right = Date.now; Date.now = () => right() + {wrong * 1000};")
    tab.open(shelf.url("en", "one"))
    end = tab.value("Date.parse(document.querySelector('#until').dateTime) / 1000")
    assert tab.text("#note").startswith("You can leave this page open")
    tab.wait_for_answer("HEAD")
    tab.until("/^9 ?min/.test(document.querySelector('#count').innerText)")
    assert abs(seconds(tab) - (end - time.time())) < 4
    assert len(tab.answered("GET")) <= 2  # the page and an icon: it was not loaded again


@pytest.mark.parametrize("until_text", ["12pm Central Time", "お昼ごろ"])
def test_an_end_in_words(tab: Tab, shelf: Shelf, until_text: str) -> None:
    """Words are shown as they are; nothing is counted."""
    shelf.facts["one"] = outage(cause=Cause.MANUAL, until_text=until_text)
    tab.open(shelf.url("en", "one"))
    assert tab.text(".until") == until_text
    assert tab.text("#count") == ""
    assert tab.value("document.title") == "Down for maintenance \N{EN DASH} shop.example"


# --- when it asks -------------------------------------------------------------------------

RECORD = """
    window.delays = [];
    const real = window.setTimeout;
    window.setTimeout = (call, wait) => {
      if (call.name === "ask") delays.push(wait);
      return real(call, wait);
    };
    Math.random = () => %s;
"""


def planned(tab: Tab) -> Any:
    """For how many seconds the page puts off its second question."""
    # The first is put off at the start, and for a minute while no answer has come.
    return tab.until("delays.length > 2 && delays[2] / 1000")


@pytest.mark.parametrize(
    ("since", "until", "random", "least", "most"),
    [
        pytest.param(-MINUTE, 40, 0, 30, 41, id="at the end"),
        pytest.param(-MINUTE, 40, 0.999, 40, 51, id="within 10 s of a short outage's end"),
        pytest.param(-20 * MINUTE, 40, 0.999, 90, 102, id="within a twentieth of a longer one"),
        pytest.param(-DAY, 20, 0.999, 130, 141, id="within 2 min of a very long one"),
        pytest.param(-DAY, DAY, 0, 60, 60, id="now and then, at the earliest"),
        pytest.param(-DAY, DAY, 0.999, 299, 300, id="now and then, at the latest"),
    ],
)
def test_readers_return_one_by_one(
    tab: Tab, shelf: Shelf, since: float, until: float, random: float, least: float, most: float
) -> None:
    """The end is the same for all readers, the moment at which each asks again is not."""
    shelf.facts["one"] = outage(since=since, until=until)
    tab.before_scripts(RECORD % random)
    tab.open(shelf.url("en", "one"))
    assert least <= planned(tab) <= most


@pytest.mark.parametrize(("random", "wait"), [(0, 30), (0.999, 45)])
def test_where_no_end_is_known(tab: Tab, shelf: Shelf, random: float, wait: float) -> None:
    """It asks when Retry-After says, or somewhat later, so that readers part in time."""
    shelf.facts["one"] = outage(cause=Cause.MEMBERS)
    tab.before_scripts(RECORD % random)
    tab.open(shelf.url("en", "one"))
    assert planned(tab) == pytest.approx(wait, abs=0.1)
