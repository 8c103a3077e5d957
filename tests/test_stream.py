"""The history as a stream: cursors that grow, batches without gaps, old turns of health removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journals import result, run

from sorryd import history, stream
from sorryd.facts import HealthTurned
from sorryd.journal import HistoryEntry, Journal
from sorryd.model import Health
from sorryd.stream import Stream, Tail

FACT = HealthTurned(before=Health.UP, after=Health.DOWN, why="refused")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(str(tmp_path / "sorryd.db"), run)
    journal.open()
    yield journal
    journal.close()


def deed(at: float, site: str | None = "shop", reason: str = "") -> HistoryEntry:
    return HistoryEntry(at=at, verb="site.down", site=site, reason=reason)


def health(at: float) -> HistoryEntry:
    return HistoryEntry(at=at, verb=history.HEALTH, site="shop", member="http://a:1", fact=FACT)


def write(journal: Journal, *entries: HistoryEntry) -> None:
    result(journal.append(entries))


def seqs(entries: tuple[HistoryEntry, ...]) -> list[int]:
    return [entry.seq for entry in entries]


def test_reading_on(journal: Journal) -> None:
    """Who reads on from cursor to cursor gets everything once, in order; so does each site."""
    write(journal, *(deed(float(n), ("shop", "blog", None)[n % 3]) for n in range(9)))
    reader, found, after = Stream(journal), [], 0
    while batch := result(reader.following(after, None, 2)):
        found += seqs(batch)
        after = batch[-1].seq
    assert found == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert seqs(result(reader.following(0, "shop", 100))) == [1, 3, 4, 6, 7, 9]
    assert result(reader.tail()) == Tail(last=9, pruned=0)


def test_reading_on_costs_what_is_read(journal: Journal) -> None:
    """Who waits for some verbs pays nothing for the turns of health that come meanwhile."""
    write(journal, deed(0.0), *(health(float(n)) for n in range(2000)), deed(1.0))
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def following(connection: sqlite3.Connection) -> list[history.Row]:
        connection.set_progress_handler(count, 1)
        try:
            return history.following(connection, 0, "shop", 50, stream.BATCH, ("site.down",))
        finally:
            connection.set_progress_handler(None, 0)

    assert [seq for seq, _ in result(journal.read(following))] == [1, 2002]
    assert steps < 200


def test_large_entries(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is no larger than it should be, but for one entry that is so itself."""
    monkeypatch.setattr(stream, "BATCH", 1000)
    write(journal, deed(1.0, reason="x" * 5000), *(deed(2.0, reason="y" * 300) for _ in range(9)))
    reader = Stream(journal)
    assert seqs(result(reader.following(0, None, 100))) == [1]
    assert seqs(result(reader.following(1, None, 100))) == [2, 3, 4]


def test_listeners(journal: Journal) -> None:
    """Who listens is called after what was written can be read, and not for what was refused."""
    reader, heard = Stream(journal), []
    reader.listen(lambda: heard.append(result(reader.tail()).last))
    write(journal, deed(1.0))
    result(journal.commit((), deed(2.0)))
    with pytest.raises(Exception, match="surrogates"):
        write(journal, deed(3.0, reason="\ud800"))
    assert heard == [1, 2]


def test_newest(journal: Journal) -> None:
    """The last ones since a time, with the turns of health only where they are asked for."""
    write(journal, deed(1.0), health(2.0), deed(3.0), deed(4.0, "blog"))
    reader = Stream(journal)
    assert seqs(result(reader.newest(None, 10))) == [1, 3, 4]
    assert seqs(result(reader.newest(None, 10, health=True))) == [1, 2, 3, 4]
    assert seqs(result(reader.newest("shop", 10, since=2.0, health=True))) == [2, 3]
    assert seqs(result(reader.newest(None, 2))) == [3, 4]


@pytest.mark.parametrize(
    ("kept", "kept_for"), [pytest.param(3, 1e9, id="many"), pytest.param(100, 2.5, id="old")]
)
def test_old_turns_of_health_are_removed(journal: Journal, kept: int, kept_for: float) -> None:
    """Turns of health that are too many or too old go; deeds stay; gaps are known of."""
    write(journal, deed(1.0), *(health(float(n)) for n in range(10)), deed(2.0))
    result(journal.write(history.prune, 9.0, kept, kept_for))
    reader = Stream(journal)
    assert seqs(result(reader.following(0, None, 100))) == [1, 9, 10, 11, 12]
    assert result(reader.tail()) == Tail(last=12, pruned=8)


def test_removing_is_bounded_and_comes_by_itself(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of years are removed a part at a time, as new ones come."""
    monkeypatch.setattr(history, "_AT_ONCE", 100)
    write(journal, *(health(float(n)) for n in range(499)))
    write(journal, health(history.KEPT_FOR + 10_000))
    assert result(Stream(journal).tail()).pruned == 100
    assert len(result(Stream(journal).following(0, None, 1000))) == 400


def test_cursors_are_not_given_twice(journal: Journal, tmp_path: Path) -> None:
    """A cursor grows over restarts even where the newest rows were removed."""
    write(journal, *(health(1.0) for _ in range(5)))
    result(journal.write(history.prune, 1e9))
    journal.close()
    journal.open()
    assert result(Stream(journal).tail()) == Tail(last=5, pruned=5)
    write(journal, deed(2.0))
    assert seqs(result(Stream(journal).following(0, None, 10))) == [6]


def test_hooks(journal: Journal) -> None:
    """A hook begins at the present, goes on where it was, and is forgotten when it is gone."""
    reader = Stream(journal)
    write(journal, deed(1.0))
    both = frozenset({("shop", "/a"), ("blog", "/b")})
    assert result(reader.hook_cursors(both)) == {"shop": 1, "blog": 1}
    write(journal, deed(2.0), deed(3.0))
    result(reader.delivered(("shop", "/a"), 2, (deed(4.0),)))
    journal.close()
    journal.open()
    assert result(reader.hook_cursors(both)) == {"shop": 2, "blog": 1}
    assert result(reader.hook_cursors(frozenset({("shop", "/a")}))) == {"shop": 2}
    assert result(reader.hook_cursors(both)) == {"shop": 2, "blog": 4}


def test_what_was_told_last(journal: Journal) -> None:
    """The last of each member is loaded at the next start, and no deed."""
    write(journal, health(1.0), deed(2.0), health(3.0))
    journal.close()
    journal.open()
    assert [entry.at for entry in journal.load().told] == [3.0]
