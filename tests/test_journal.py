"""The journal: durable, exclusive, and clear about what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from twisted.internet.defer import Deferred, maybeDeferred

from sorryd import database
from sorryd.journal import (
    Change,
    HistoryEntry,
    Journal,
    JournalError,
    Loaded,
    MemberPut,
    WindowPut,
)
from sorryd.model import Author, MemberState, Window, WindowKind

T = TypeVar("T")

ALICE = Author(uid=1000, name="alice", pid=42)
ENTRY = HistoryEntry(at=5.0, verb="site.down", author=ALICE, site="shop", reason="disks")


def run(function: Callable[..., T], *args: Any) -> Deferred[T]:
    return maybeDeferred(function, *args)


def result(deferred: Deferred[T]) -> T:
    """What `deferred` has fired with; raises what it has failed with."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    (found,) = results
    if hasattr(found, "raiseException"):
        found.raiseException()
    return found  # type: ignore[no-any-return]  # the Deferred said what it is


def window(name: str, start: float = 10, end: float | None = 20, **fields: Any) -> Window:
    given = Window(
        id=name,
        site="shop",
        kind=WindowKind.PLANNED,
        start=start,
        end=end,
        reason="disks 日本",
        timezone="Asia/Tokyo",
        author=ALICE,
        created=5.0,
    )
    return msgspec.structs.replace(given, **fields)


def put(journal: Journal, *windows: Window) -> None:
    result(journal.commit(tuple(WindowPut(window=window) for window in windows), ENTRY))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "var" / "sorryd.db")


@pytest.fixture
def journal(path: str) -> Iterator[Journal]:
    journal = Journal(path, run)
    journal.open()
    yield journal
    journal.close()


def reopened(journal: Journal, path: str) -> Loaded:
    """What another daemon would start from."""
    journal.close()
    journal.open()
    return journal.load()


def test_a_new_journal_is_empty_and_private(journal: Journal, path: str) -> None:
    """A journal is made at its first use, for the daemon's eyes alone."""
    assert journal.load() == Loaded()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(f"{path}-wal").st_mode) == 0o600


def test_what_was_committed_is_there_again(journal: Journal, path: str) -> None:
    """Windows and members' settings come back as they were, the last word of each."""
    first, second = window("a"), window("b", site=None, end=None, released=("blog",))
    setting = MemberPut(site="shop", url="http://a:1", state=MemberState.DRAIN, weight=None)
    changes: tuple[Change, ...] = (
        WindowPut(window=window("a", reason="first thought")),
        WindowPut(window=second),
        MemberPut(site="shop", url="http://a:1", weight=7),
    )
    result(journal.commit(changes, ENTRY))
    result(journal.commit((WindowPut(window=first), setting), ENTRY))
    loaded = reopened(journal, path)
    assert set(loaded.windows) == {first, second}
    assert loaded.members == (setting,)


def test_final_windows_are_not_loaded(journal: Journal, path: str) -> None:
    """What is over is found by id and among the past, but no daemon starts with it."""
    ended = window("ended", 10, 20, ended=15.0)
    cancelled = window("cancelled", 30, 40, cancelled=25.0)
    other = window("other", 50, 60, ended=60.0, site="blog")
    every = window("every", 70, 80, ended=80.0, site=None)
    put(journal, ended, cancelled, other, every, window("alive", 100, 200))
    assert [found.id for found in reopened(journal, path).windows] == ["alive"]
    assert result(journal.get("ended")) == ended
    assert result(journal.get("no such")) is None
    assert result(journal.past("shop", 10)) == (every, cancelled, ended)
    assert result(journal.past(None, 2)) == (every, other)


def test_what_led_to_an_open_window_is_loaded(journal: Journal, path: str) -> None:
    """Ended windows that go over into one still alive come with it, however far back."""
    put(
        journal,
        window("apart", 0, 9, ended=9.0),
        window("first", 10, 20, ended=20.0),
        window("second", 15, 30, ended=30.0),
        window("third", 30, 50),
        window("cancelled", 12, 50, cancelled=11.0),
    )
    loaded = reopened(journal, path).windows
    assert {window.id for window in loaded} == {"first", "second", "third"}
    assert len(loaded) == 3


def test_what_led_to_it_is_not_mistaken_for_another_site_s(journal: Journal, path: str) -> None:
    """Another site's window that is open for longer does not hide what a down-time began with."""
    put(
        journal,
        window("other", 0, None, site="blog"),
        window("first", 0, 20, ended=20.0),
        window("second", 15, 30),
    )
    found = {window.id for window in reopened(journal, path).windows}
    assert found == {"other", "first", "second"}


def test_history(journal: Journal, path: str) -> None:
    """Deeds are kept in order, with who, why, before and after."""
    change = WindowPut(window=window("a"))
    deed = msgspec.structs.replace(ENTRY, window="a", after=(change,))
    result(journal.commit((change,), deed))
    result(journal.commit((), HistoryEntry(at=6.0, verb="site.up", site=None)))
    result(journal.commit((), HistoryEntry(at=7.0, verb="site.up", site="blog")))
    reopened(journal, path)
    whole = result(journal.history(None, 10))
    assert [(entry.seq, entry.verb) for entry in whole] == [
        (1, "site.down"),
        (2, "site.up"),
        (3, "site.up"),
    ]
    assert whole[0] == msgspec.structs.replace(deed, seq=1)
    assert [entry.seq for entry in result(journal.history("shop", 10))] == [1, 2]
    assert [entry.seq for entry in result(journal.history(None, 1))] == [3]


def test_a_commit_is_all_or_nothing(journal: Journal, path: str) -> None:
    """A commit that fails half way leaves nothing behind, and the next one works."""
    broken = MemberPut(site="shop", url="\ud800", weight=1)
    with pytest.raises(JournalError, match="surrogates not allowed"):
        result(journal.commit((WindowPut(window=window("a")), broken), ENTRY))
    put(journal, window("b"))
    assert [found.id for found in reopened(journal, path).windows] == ["b"]
    assert len(result(journal.history(None, 10))) == 1


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


def test_a_commit_survives_kill_9(path: str) -> None:
    """What was answered is there after the process was killed in the same breath."""
    script = f"""if True:
        import os, signal
        from twisted.internet.defer import maybeDeferred
        from sorryd.journal import HistoryEntry, Journal, MemberPut
        journal = Journal({path!r}, maybeDeferred)
        journal.open()
        done = journal.commit(
            (MemberPut(site="shop", url="http://a:1", weight=7),), HistoryEntry(at=1.0, verb="x")
        )
        done.addCallback(lambda _: os.kill(os.getpid(), signal.SIGKILL))
    """
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == -9
    journal = Journal(path, run)
    journal.open()
    assert [setting.weight for setting in journal.load().members] == [7]
    journal.close()


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
        pytest.param(newer, r"written by a newer sorryd \(format 99, this one knows 1\)", id="new"),
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


def test_closed(journal: Journal) -> None:
    """A closed journal refuses; to close it twice is harmless."""
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="the journal is closed"):
        put(journal, window("a"))


def test_commits_are_synced(journal: Journal) -> None:
    """SQLite is told to wait for the disk at every commit."""
    pragma = journal._opened.execute("PRAGMA synchronous").fetchone()
    assert pragma == (2,)
    assert journal._opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)


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
