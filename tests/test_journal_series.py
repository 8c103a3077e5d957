"""The journal: what a daemon starts from where there are series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journals import put, reopened, run, window

from sorryd.database import MIGRATIONS
from sorryd.journal import Journal
from sorryd.window import Window

DAY = 86400.0
HOUR = 3600.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "sorryd.db")


@pytest.fixture
def journal(path: str) -> Iterator[Journal]:
    journal = Journal(path, run)
    journal.open()
    yield journal
    journal.close()


NIGHTLY = window("nightly", 0, HOUR, every="FREQ=DAILY")


def night(number: int, **fields: object) -> Window:
    """An instance of the series, by the number of its day."""
    start = number * DAY
    given = {"series": "nightly", "recurs": start, **fields}
    return window(f"nightly@{number}", start, start + HOUR, **given)


def over(number: int) -> Window:
    return night(number, ended=number * DAY + HOUR)


def loaded(journal: Journal, path: str) -> set[str]:
    return {one.id for one in reopened(journal, path).windows}


def test_of_what_is_over_the_last_is_loaded(journal: Journal, path: str) -> None:
    """With a series come its last instances that are over, and not those of all years."""
    put(journal, NIGHTLY, *map(over, range(100)))
    assert loaded(journal, path) == {"nightly", *(f"nightly@{n}" for n in range(91, 100))}


def test_what_was_taken_back_is_loaded(journal: Journal, path: str) -> None:
    """Cancelled instances come with their series, however far ahead, or the rule would give them
    again; so do those that were changed."""
    changed = night(300, drain=1.0)
    put(journal, NIGHTLY, over(2), night(200, cancelled=5.0), changed)
    assert loaded(journal, path) == {"nightly", "nightly@2", "nightly@200", "nightly@300"}


def test_what_led_to_an_instance_is_loaded(journal: Journal, path: str) -> None:
    """A window that is over may have led to an instance that the journal knows nothing of."""
    led = window("led", 10 * DAY - HOUR, 10 * DAY + 60, ended=10 * DAY + 60)
    put(journal, NIGHTLY, over(9), led, window("long ago", 0, HOUR, ended=HOUR))
    assert {"nightly", "led"} <= loaded(journal, path)
    assert "long ago" not in loaded(journal, path)


def test_of_a_series_that_is_over_nothing_is_loaded(journal: Journal, path: str) -> None:
    """Only the series that may give instances bring theirs; an open one stays by itself."""
    put(
        journal,
        window("nightly", 0, HOUR, every="FREQ=DAILY", cancelled=7.0),
        night(5, cancelled=6.0),
        night(7),
    )
    assert loaded(journal, path) == {"nightly@7"}


def test_an_older_journal_is_taken_over(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal from before there were series is brought up to date, and takes some."""
    monkeypatch.setattr("sorryd.database.MIGRATIONS", MIGRATIONS[:1])
    old = Journal(path, run)
    old.open()
    old._opened.execute(
        "INSERT INTO windows (id, site, start, ended, final, body)"
        " VALUES ('x', 'shop', 1, NULL, 1, '{}')"
    )
    old.close()
    monkeypatch.undo()
    journal = Journal(path, run)
    journal.open()
    put(journal, NIGHTLY, over(3))
    assert loaded(journal, path) == {"nightly", "nightly@3"}
    journal.close()
