"""The journal: windows, members' settings and the history of who did what, in SQLite.

A transaction is committed, and synced to disk (WAL, synchronous=FULL), before the Deferred of
`Journal.commit` fires: what has been answered survives ``kill -9``.

Threads. `open`, `load` and `close` run where they are called, before and after all else. What
may wait for a disk while visitors are served goes through `run`, which calls a function in the
journal's own thread, one after another: ``run(f, *args)`` gives a Deferred of ``f(*args)``.

One daemon at a time: PATH.lock is locked (flock) from `open` to `close`.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, assert_never

import msgspec
from twisted.internet.defer import Deferred

from sorryd import database
from sorryd.folders import make_folder
from sorryd.lockfile import Lockfile, LockTaken
from sorryd.model import MemberState, Value
from sorryd.window import Author, Window

T = TypeVar("T")
_LONG = 8 * 86400.0  # seconds; instances that are over are looked back at for so long at least


class JournalError(Exception):
    """The journal cannot be used, or did not take a change; its str is one line for a person."""


class WindowPut(Value, frozen=True, kw_only=True, tag="window"):
    """A window as it is from now on."""

    window: Window


class MemberPut(Value, frozen=True, kw_only=True, tag="member"):
    """What the operator wants of a member from now on. `weight` None is the configured one."""

    site: str
    url: str
    state: MemberState = MemberState.READY
    weight: int | None = None


Change = WindowPut | MemberPut


class HistoryEntry(Value, frozen=True, kw_only=True):
    """One deed. `author` None is sorryd itself; `before` and `after` are what it changed.

    `verb` is the method of the control protocol, or ``window.passed`` for an end that came.
    `site` None is every site. `detail` says in words what `after` has no form for. `seq` is
    given by the journal and grows.
    """

    at: float
    verb: str
    author: Author | None = None
    site: str | None = None
    window: str | None = None
    member: str | None = None
    reason: str = ""
    before: tuple[Change, ...] = ()
    after: tuple[Change, ...] = ()
    detail: str = ""
    seq: int = 0


class Loaded(Value, frozen=True, kw_only=True):
    """What a daemon starts from.

    `windows` are those not final, and the ended ones that may have led to them without a gap. Of
    series there are also those final instances that the rule could give again.
    """

    windows: tuple[Window, ...] = ()
    members: tuple[MemberPut, ...] = ()


class Run(Protocol):
    """Calls a function in the journal's thread."""

    def __call__(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        """A Deferred of ``function(*args)``."""


class Journal:
    """The journal at `path`. Every method raises JournalError, or fails its Deferred with it."""

    def __init__(self, path: str, run: Run) -> None:
        self._path = path
        self._run = run
        self._lock = Lockfile(f"{path}.lock")
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # which one at the path we have opened

    def open(self) -> None:
        """Lock, create or migrate the file, and check that it is whole."""
        try:
            make_folder(os.path.dirname(self._path))
            self._lock.take()
        except LockTaken as taken:
            raise JournalError(
                f"{self._path} is in use by another sorryd (pid {taken.pid or 'unknown'})"
            ) from None
        except OSError as fault:
            raise JournalError(f"{self._path}: {fault.strerror}") from None
        try:
            with self._faults():
                self._connection = database.connected(self._path)
                self._file = _identity(self._path)
                database.check(self._connection)
                database.migrate(self._connection)
        except JournalError:
            self.close()
            raise

    def close(self) -> None:
        """Close and unlock; harmless when it is not open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with self._faults():
                connection.close()
        self._lock.release()

    def load(self) -> Loaded:
        """What a daemon starts from."""
        with self._faults():
            alive = self._windows("final = 0")
            series = [window for window in alive if window.every is not None]
            over = [one for window in series for one in self._over(window)]
            members = self._rows("SELECT site, url, state, weight FROM members")
        return Loaded(
            windows=tuple({one.id: one for one in (*alive, *over, *self._led_to(alive))}.values()),
            members=tuple(
                MemberPut(site=site, url=url, state=MemberState(state), weight=weight)
                for site, url, state, weight in members
            ),
        )

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        """Write `changes` and `entry`, all or nothing; fires when they are on disk."""
        return self._run(self._commit, changes, entry)

    def get(self, name: str) -> Deferred[Window | None]:
        """The window of that id, also a final one."""
        return self._run(self._get, name)

    def past(self, site: str | None, limit: int) -> Deferred[tuple[Window, ...]]:
        """The `limit` final windows that started last, the last one first.

        `site` None is all of them; else those of the site and those of every site.
        """
        return self._run(self._past, site, limit)

    def history(self, site: str | None, limit: int) -> Deferred[tuple[HistoryEntry, ...]]:
        """The last `limit` deeds, oldest first; `site` as for `past`."""
        return self._run(self._history, site, limit)

    # --- in the journal's thread ------------------------------------------------------------

    def _commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> None:
        with self._faults(), database.transaction(self._opened) as connection:
            # SQLite would go on writing to a file that nobody will find again.
            if _identity(self._path) != self._file:
                raise JournalError(f"{self._path}: removed or replaced since sorryd began")
            for change in changes:
                _put(connection, change)
            connection.execute(
                "INSERT INTO history (at, verb, site, body) VALUES (?, ?, ?, ?)",
                (entry.at, entry.verb, entry.site, msgspec.json.encode(entry).decode()),
            )

    def _get(self, name: str) -> Window | None:
        with self._faults():
            return next(iter(self._windows("id = ?", name)), None)

    def _past(self, site: str | None, limit: int) -> tuple[Window, ...]:
        wanted = "final = 1 AND (? IS NULL OR site IS NULL OR site = ?)"
        with self._faults():
            return self._windows(
                f"{wanted} ORDER BY start DESC, id LIMIT ?", site, site, min(limit, 1 << 62)
            )

    def _history(self, site: str | None, limit: int) -> tuple[HistoryEntry, ...]:
        wanted = "SELECT seq, body FROM history WHERE (? IS NULL OR site IS NULL OR site = ?)"
        with self._faults():
            rows = self._rows(f"{wanted} ORDER BY seq DESC LIMIT ?", site, site, limit)
            entries = [
                msgspec.structs.replace(msgspec.json.decode(body, type=HistoryEntry), seq=seq)
                for seq, body in rows
            ]
        return tuple(reversed(entries))

    def _over(self, series: Window) -> tuple[Window, ...]:
        """Final instances of `series`: the cancelled ones, and the last ones that were over."""
        ((last,),) = self._rows("SELECT max(ended) FROM windows WHERE series = ?", series.id)
        since = -math.inf if last is None else last - max(_lasts(series), _LONG)
        wanted = "series = ? AND final = 1 AND (ended IS NULL OR ended >= ?)"
        return self._windows(wanted, series.id, since)

    def _led_to(self, alive: Iterable[Window]) -> tuple[Window, ...]:
        """Ended windows from which the down-times of `alive` may have begun, and some more.

        Those that ended since the first of them started; and since the first of those did; and
        so on. An instance of a series may be under way since it was last written of.
        """
        found: tuple[Window, ...] = ()
        with self._faults():
            ((last,),) = self._rows("SELECT max(ended) FROM windows")
        starts = (
            window.start if window.every is None else (last or 0.0) - _lasts(window)
            for window in alive
        )
        start = min(starts, default=None)
        before = None
        while start is not None and start != before:
            with self._faults():
                found = self._windows("ended >= ?", start)
            before, start = start, min((start, *(window.start for window in found)))
        return found

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalError(f"{self._path}: the journal is closed")
        return self._connection

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._opened.execute(statement, values).fetchall()

    def _windows(self, wanted: str, *values: object) -> tuple[Window, ...]:
        rows = self._rows(f"SELECT body FROM windows WHERE {wanted}", *values)
        return tuple(msgspec.json.decode(body, type=Window) for (body,) in rows)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Whatever is wrong with the file or its content, as a JournalError of one line."""
        try:
            yield
        except (sqlite3.Error, msgspec.MsgspecError, OSError, ValueError) as fault:
            said = getattr(fault, "strerror", None) or str(fault)
            words = next(iter(said.splitlines()), type(fault).__name__)
            raise JournalError(f"{self._path}: {words}") from None


def _lasts(series: Window) -> float:
    """Seconds from the start of an instance until it is over by itself."""
    assert series.end is not None
    return series.end - series.start + (series.until_healthy or 0.0)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _put(connection: sqlite3.Connection, change: Change) -> None:
    match change:
        case WindowPut(window=window):
            connection.execute(
                "REPLACE INTO windows (id, site, start, ended, final, body, series)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    window.id,
                    window.site,
                    window.start,
                    window.ended,
                    window.is_final,
                    msgspec.json.encode(window).decode(),
                    window.series,
                ),
            )
        case MemberPut():
            connection.execute(
                "REPLACE INTO members (site, url, state, weight) VALUES (?, ?, ?, ?)",
                (change.site, change.url, change.state.value, change.weight),
            )
        case _:
            assert_never(change)
