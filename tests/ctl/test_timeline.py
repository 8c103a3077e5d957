"""The line in status that shows what is ahead of a site."""

from __future__ import annotations

import os
import pty
import subprocess
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import LIVE, STATUS
from tests.ctl.running import COMMAND, Run

from sorryd.ctl.page import Drawing, Legend, lines_of
from sorryd.ctl.timeline import ASCII, HOURS, Stretch, Timeline, runs, scale, timeline

NOW = datetime.fromisoformat("2026-11-28T12:00:00+09:00")


def at(hours: float) -> datetime:
    """So many hours from now."""
    return NOW + timedelta(hours=hours)


def phases(*parts: tuple[str, float]) -> tuple[Stretch, ...]:
    """Stretches without gaps: each phase until so many hours from now."""
    ends = [0.0, *(until for _, until in parts)]
    return tuple(
        Stretch(phase, at(start), at(end)) for (phase, end), start in zip(parts, ends, strict=False)
    )


@pytest.mark.parametrize(
    ("stretches", "days"),
    [
        (phases(("live", 168)), None),
        (phases(("live", 23.9), ("down", 25), ("live", 168)), 1),
        (phases(("live", 24), ("down", 25), ("live", 168)), 7),
        (phases(("down", 1), ("live", 168)), 1),
        ((), None),
    ],
    ids=["nothing", "within a day", "later", "now", "not told"],
)
def test_how_much_is_drawn(stretches: tuple[Stretch, ...], days: int | None) -> None:
    """A day is drawn where something happens in it, else a week, else nothing."""
    found = timeline(NOW, stretches)
    assert (None if found is None else found.lasts.days) == days


def test_the_gravest_is_shown() -> None:
    """A short time is not lost in a piece that is longer: the gravest phase in it is shown."""
    parts = phases(("live", 5.9), ("announced", 6), ("draining", 6.01), ("down", 6.02),
                   ("verifying", 12), ("live", 168))  # fmt: skip
    found = runs(Timeline(NOW, HOURS, parts), 24)
    assert found == [("live", 5), ("announced", 1), ("down", 1), ("verifying", 5), ("live", 12)]


def test_what_is_not_told_is_blank() -> None:
    """Behind the last phase that the daemon told of nothing is drawn: least of all live."""
    found = runs(Timeline(NOW, HOURS, phases(("live", 6), ("down", 12))), 24)
    assert found == [("live", 6), ("down", 6), ("not told", 12)]


@pytest.mark.usefixtures("tokyo")
@pytest.mark.parametrize(
    ("width", "begin", "shown"),
    [
        (48, 12.0, "now         18:00       00:00       06:00"),
        (24, 12.0, "now         00:00"),
        (48, 14.75, "now    18:00       00:00       06:00       12:00"),
    ],
    ids=["wide", "narrow", "soon after now"],
)
def test_scale(width: int, begin: float, shown: str) -> None:
    """Round local times stand where they are, as far as there is room."""
    start = NOW.replace(hour=int(begin), minute=int(begin % 1 * 60))
    assert scale(Timeline(start, HOURS, ()), width) == shown


@pytest.mark.usefixtures("tokyo")
def test_scale_of_a_week() -> None:
    """Days of a week stand at their midnights."""
    drawn = timeline(NOW, phases(("live", 100), ("down", 101)))
    assert drawn is not None
    assert scale(drawn, 70) == ("now  Sun 29    Mon 30    Tue 01    Wed 02    Thu 03    Fri 04")


def told(*stretches: Stretch, partial: bool = False) -> dict[str, Any]:
    """A status in which one site tells what is ahead."""
    ahead = [
        {"from": one.start.isoformat(), "until": one.end.isoformat(), "phase": one.phase,
         "window": None, "partial": partial and one.phase == "live"}
        for one in stretches
    ]  # fmt: skip
    return {**STATUS, "now": NOW.isoformat(), "sites": [{**LIVE, "ahead": ahead}]}


NIGHT = phases(("live", 6), ("draining", 8), ("down", 12), ("verifying", 15), ("announced", 168))


def test_piped(run: Run, daemon: FakeDaemon) -> None:
    """Where it is piped, the line is drawn in ASCII, and a legend says what it means."""
    daemon.results = {**daemon.results, "status": told(*NIGHT)}
    lines = run("status").stdout.splitlines()
    assert lines[1].startswith("  24 h:    ----------------%%%%%############????????~~~~~~")
    assert lines[2].startswith("           now      15:00   18:00")
    assert lines[-1] == ("  -- live   ~~ announced   ?? verifying   %% draining   ## down")


@pytest.mark.parametrize("hours", [hour / 6 for hour in range(6, 18)])
def test_legend(hours: float) -> None:
    """The legend has the letters that are drawn, at whatever width, and no other."""
    short = phases(("live", hours), ("down", hours + 0.3), ("verifying", hours + 0.4), ("live", 24))
    drawing = Drawing("  24 h:    ", Timeline(NOW, HOURS, short))
    (line, _), (legend,) = (lines_of(part, 70, ASCII) for part in (drawing, Legend((drawing,))))
    drawn = {span.text[0] for span in line.spans[1:]}
    assert {span.text[0] for span in legend.spans[1::2]} == drawn


def test_part_of_a_site(run: Run, daemon: FakeDaemon) -> None:
    """A site that is live but for a part of it is drawn as partial."""
    daemon.results = {**daemon.results, "status": told(*phases(("live", 168)), partial=True)}
    assert "== partial" in run("status").stdout


@pytest.mark.parametrize(("encoding", "letter"), [("utf-8", "█"), ("ascii", "#")])
def test_on_a_terminal(daemon: FakeDaemon, encoding: str, letter: str) -> None:
    """A terminal gets block letters, if it can show them, to its width."""
    daemon.results = {**daemon.results, "status": told(*NIGHT)}
    ours, theirs = pty.openpty()
    env = {
        **os.environ,
        "TERM": "dumb",
        "COLUMNS": "60",
        "LINES": "25",
        "PYTHONIOENCODING": encoding,
    }
    words = [*COMMAND, "--socket", str(daemon.path), "status"]
    subprocess.run(words, stdout=theirs, env=env, timeout=30, check=True)
    os.close(theirs)
    lines = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert letter * 4 in lines[1]
    assert len(lines[1]) == 58


def test_warnings_are_shown(run: Run, daemon: FakeDaemon) -> None:
    """What there is to warn of a window that holds a site down stands below the site."""
    assert "  warning: 02:30 is skipped: 03:30 is meant\n" in run("status").stdout
