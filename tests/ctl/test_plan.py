"""The pages that tell what will happen."""

from __future__ import annotations

from typing import Any, cast

from tests.ctl.results import PLAN, PLANNED, WINDOW
from tests.ctl.running import Run

from sorryd.ctl import show
from sorryd.ctl.page import plain
from sorryd.ctl.plan import plan_page
from sorryd.ctl.shapes import Plan, Window


def test_plan(run: Run) -> None:
    """Each window is told in its own zone and in UTC, then what to note and what visitors read."""
    shown = run("plan").stdout
    rows = [" ".join(row.split()) for row in shown.splitlines()]
    assert rows == [
        "FROM UNTIL UTC LASTS WINDOW SITE",
        "2027-03-27 22:00 +01:00 2027-03-28 01:00:05 03-27 21:00 - 03-28 00:00:05 2h"
        " night@2027-03-28T01:30 shop",
        "2027-03-28 01:30 +01:00 2027-03-28 04:30 +02:00 03-28 00:30 - 02:30 2h"
        " night@2027-03-28T01:30 shop",
        "2027-03-28 23:30 +09:00 no end set 03-28 14:30 - open m1 every site",
        "",
        "take note",
        "night@2027-03-28T01:30: overlaps db (2027-03-28T02:00:00+01:00 to open end)",
        "",
        "what visitors will read",
        "night@2027-03-28T01:30, shop: disks; until Sunday, 28 March 2027, 04:30 CEST;"
        " Retry-After: 7200",
        "m1, shop: no end is promised; Retry-After: 30",
        "and more: these are the first 3; ask for fewer days",
    ]


def test_nothing_planned() -> None:
    """Where nothing is planned, that is said, with the time until when it is so."""
    nothing = cast(Plan, {**PLAN, "windows": [], "more": False})
    assert plain(plan_page(nothing)) == "nothing is planned until 2027-04-03 12:00 +02:00\n"


def test_dry_run_tells_as_much(run: Run) -> None:
    """A dry run shows the window, and what a plan would tell of it."""
    shown = run("schedule", "--from", "now", "--for", "2h", "--dry-run").stdout
    assert shown.startswith("db  scheduled\n")
    assert "what visitors will read\n  night@2027-03-28T01:30, shop: disks; until Sunday" in shown


def test_a_series(run: Run) -> None:
    """A series is listed with its rule and its next instance, and shown with both."""
    series: dict[str, Any] = {
        **WINDOW,
        "every": "FREQ=DAILY",
        "next": {key: PLANNED[key] for key in ("id", "from", "until")},
    }
    table = plain(show.windows_page([cast(Window, series), cast(Window, WINDOW)]))
    assert "EVERY" in table
    assert "FREQ=DAILY" in table
    assert "2027-03-28" in table.splitlines()[1]
    page = plain(show.window_page(cast(Window, series)))
    assert "\n  every:   FREQ=DAILY\n  next:    night@2027-03-28T01:30, 2027-03-28 " in page
