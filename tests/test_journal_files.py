"""The journal's file: private, exclusive, and clear about what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journals import put, reopened, result, run, window

from sorryd import database
from sorryd.journal import HistoryEntry, Journal, JournalError, Loaded
from sorryd.stream import Stream


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "var" / "sorryd.db")


@pytest.fixture
def journal(path: str) -> Iterator[Journal]:
    journal = Journal(path, run)
    journal.open()
    yield journal
    journal.close()


def test_a_new_journal_is_empty_and_private(journal: Journal, path: str) -> None:
    """A journal is made at its first use, for the daemon's eyes alone."""
    assert journal.load() == Loaded()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(f"{path}-wal").st_mode) == 0o600


def test_a_full_disk(journal: Journal, path: str) -> None:
    """A full disk refuses the change in one line, keeps the rest, and is survived."""
    put(journal, window("a"))
    connection = journal._opened
    connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(JournalError, match=r"sorryd\.db: database or disk is full$"):
        put(journal, window("b", reason="x" * 100_000))
    connection.execute("PRAGMA max_page_count = 1000000")
    put(journal, window("c"))
    assert {found.id for found in reopened(journal, path).windows} == {"a", "c"}


@pytest.mark.parametrize("spoil", [os.unlink, lambda path: os.replace(path, f"{path}.old")])
def test_a_file_that_is_gone(journal: Journal, path: str, spoil: Callable[[str], None]) -> None:
    """What would go to a file that no start finds again is refused, until it is back."""
    spoil(path)
    with pytest.raises(JournalError, match=r"sorryd.db: removed or replaced"):
        put(journal, window("a"))
    if os.path.exists(f"{path}.old"):
        os.replace(f"{path}.old", path)
        put(journal, window("a"))
        assert result(journal.get("a")) == window("a")


def test_one_daemon_at_a_time(journal: Journal, path: str) -> None:
    """A second daemon is told who has the journal; when that one is gone, it may have it."""
    second = Journal(path, run)
    with pytest.raises(JournalError, match=rf"in use by another sorryd \(pid {os.getpid()}\)$"):
        second.open()
    put(journal, window("a"))
    journal.close()
    second.open()
    assert len(second.load().windows) == 1
    second.close()


def foreign(path: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()


def newer(path: str) -> None:
    journal = Journal(path, run)
    journal.open()
    journal._opened.execute("PRAGMA user_version = 99")
    journal.close()


def garbage(path: str) -> None:
    Path(path).write_bytes(b"\x00\x01 no database at all \xff" * 1000)


def damaged(path: str) -> None:
    journal = Journal(path, run)
    journal.open()
    put(journal, *(window(f"w{n}") for n in range(500)))
    journal.close()
    with open(path, "r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xaa" * 4096 * 3)


def folder(path: str) -> None:
    os.mkdir(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(foreign, "not a journal of sorryd", id="foreign"),
        pytest.param(
            newer, r"written by a newer sorryd \(format 99, this one knows \d+\)", id="new"
        ),
        pytest.param(garbage, "file is not a database", id="garbage"),
        pytest.param(damaged, "malformed|damaged", id="damaged"),
        pytest.param(folder, "Is a directory", id="folder"),
    ],
)
def test_a_file_that_is_no_journal(path: str, spoil: Callable[[str], None], words: str) -> None:
    """A file that we cannot trust is refused in one line, is not touched, and not held."""
    os.mkdir(os.path.dirname(path))
    spoil(path)
    before = None if os.path.isdir(path) else Path(path).read_bytes()
    for _ in range(2):
        journal = Journal(path, run)
        with pytest.raises(JournalError, match=words) as raised:
            journal.open()
        assert "\n" not in str(raised.value)
        assert str(raised.value).startswith(path)
    assert before is None or Path(path).read_bytes() == before


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    """A folder that is a file is said in one line."""
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"sorryd\.db: Not a directory$|: File exists$"):
        Journal(str(tmp_path / "file" / "sorryd.db"), run).open()


def test_a_journal_of_the_first_format(path: str) -> None:
    """A journal that the first sorryd wrote is migrated, and its history read on; its windows are
    whole, and wait for nobody."""
    os.mkdir(os.path.dirname(path))
    body = '{"at":5.0,"verb":"site.up","site":"shop","reason":"","before":[],"after":[]}'
    row = (
        '{"id":"w","site":"shop","kind":"planned","start":9.0,"end":20.0,"reason":"disks",'
        '"timezone":"UTC","author":{"uid":0,"name":"root","pid":7},"created":5.0,"drain":null,'
        '"until_text":null,"ended":null,"cancelled":null,"released":["blog"]}'
    )
    with sqlite3.connect(path) as old:
        old.executescript(database.MIGRATIONS[0])
        old.execute("INSERT INTO history (at, verb, site, body) VALUES (5, 'site.up', ?, ?)",
                    ("shop", body))  # fmt: skip
        old.execute("INSERT INTO windows (id, site, start, ended, final, body)"
                    " VALUES ('w', 'shop', 9, NULL, 0, ?)", (row,))  # fmt: skip
        old.executescript(f"PRAGMA application_id = {database.APPLICATION_ID};"
                          "PRAGMA user_version = 1;")  # fmt: skip
    old.close()
    journal = Journal(path, run)
    journal.open()
    assert journal.load().told == ()
    (found,) = journal.load().windows
    assert (found.id, found.released, found.recovered) == ("w", ("blog",), ())
    assert (found.until_healthy, found.scope.is_whole, found.sequence) == (None, True, 0)
    stream = Stream(journal)
    assert result(stream.hook_cursors(frozenset({("shop", "/bin/true")}))) == {"shop": 1}
    result(journal.append((HistoryEntry(at=6.0, verb="site.down", site="shop"),)))
    assert [(one.seq, one.verb) for one in result(stream.following(0, None, 10))] == [
        (1, "site.up"),
        (2, "site.down"),
    ]
    journal.close()


def test_an_older_format_is_brought_up(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of an older format is migrated when it is opened, and keeps its content."""
    journal = Journal(path, run)
    journal.open()
    put(journal, window("a"))
    journal.close()
    newest = (*database.MIGRATIONS, "CREATE TABLE more (a);")
    monkeypatch.setattr(database, "MIGRATIONS", newest)
    journal.open()
    assert len(journal.load().windows) == 1
    assert journal._opened.execute("SELECT count(*) FROM more").fetchone() == (0,)
    assert journal._opened.execute("PRAGMA user_version").fetchone() == (len(newest),)
    journal.close()
