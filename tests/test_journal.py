"""The journal: what is committed to it is there again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.journals import ENTRY, put, reopened, result, run, window

from sorryd.journal import Change, HistoryEntry, Journal, JournalError, MemberPut, WindowPut
from sorryd.model import MemberState
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
    whole = result(Stream(journal).newest(None, 10))
    assert [(entry.seq, entry.verb) for entry in whole] == [
        (1, "site.down"),
        (2, "site.up"),
        (3, "site.up"),
    ]
    assert whole[0] == msgspec.structs.replace(deed, seq=1)
    assert [entry.seq for entry in result(Stream(journal).newest("shop", 10))] == [1, 2]
    assert [entry.seq for entry in result(Stream(journal).newest(None, 1))] == [3]


def test_a_commit_is_all_or_nothing(journal: Journal, path: str) -> None:
    """A commit that fails half way leaves nothing behind, and the next one works."""
    broken = MemberPut(site="shop", url="\ud800", weight=1)
    with pytest.raises(JournalError, match="surrogates not allowed"):
        result(journal.commit((WindowPut(window=window("a")), broken), ENTRY))
    put(journal, window("b"))
    assert [found.id for found in reopened(journal, path).windows] == ["b"]
    assert len(result(Stream(journal).newest(None, 10))) == 1


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


def test_commits_are_synced(journal: Journal) -> None:
    """SQLite is told to wait for the disk at every commit."""
    pragma = journal._opened.execute("PRAGMA synchronous").fetchone()
    assert pragma == (2,)
    assert journal._opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_closed(journal: Journal) -> None:
    """A closed journal refuses; to close it twice is harmless."""
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="the journal is closed"):
        put(journal, window("a"))
