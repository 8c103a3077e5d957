"""The journal: windows, members' settings and the history of who did what, in SQLite.

A transaction is committed, and synced to disk (WAL, synchronous=FULL), before the Deferred of
`Journal.commit` fires: what has been answered survives ``kill -9``.

Threads. `open`, `load` and `close` run where they are called, before and after all else. What
may wait for a disk while visitors are served goes through `run`, which calls a function in the
journal's own thread, one after another: ``run(f, *args)`` gives a Deferred of ``f(*args)``.

The history is a stream of events too: stream.py reads it so.

One daemon at a time: PATH.lock is locked (flock) from `open` to `close`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, assert_never

import msgspec
from twisted.internet.defer import Deferred

from sorryd import database, history, window_rows
from sorryd.facts import Fact, HookFailed
from sorryd.folders import make_folder
from sorryd.lockfile import Lockfile, LockTaken
from sorryd.model import MemberState, Value
from sorryd.window import Author, Window

T = TypeVar("T")
_PRUNE_EVERY = 500  # rows


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
    """One deed, or what sorryd observed: then it has a `fact`, or its `author` is None.

    `before` and `after` are what a deed changed. `verb` is the method of the control protocol,
    ``window.passed`` for an end that came, or that of a fact (see `control.diary`). `site` None
    is every site. `detail` says in words what `after` has no form for. `seq` is given by the
    journal and grows.
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
    fact: Fact | None = None
    seq: int = 0


decode_entry = msgspec.json.Decoder(HistoryEntry).decode


class Loaded(Value, frozen=True, kw_only=True):
    """What a daemon starts from.

    `windows` are those not final, and the ended ones that may have led to them without a gap. Of
    series there are also those final instances that the rule could give again.
    `told` is the last that the history has of each site's phase, and so on.
    """

    windows: tuple[Window, ...] = ()
    members: tuple[MemberPut, ...] = ()
    told: tuple[HistoryEntry, ...] = ()


class Run(Protocol):
    """Calls a function in the journal's thread."""

    def __call__(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        """A Deferred of ``function(*args)``."""


class Journal:
    """The journal at `path`. Every method raises JournalError, or fails its Deferred with it."""

    def __init__(self, path: str, run: Run) -> None:
        self._path = path
        self._run = run
        self.listeners: list[Callable[[], None]] = []  # called when the history has grown
        self.failures = 0  # what it refused, or could not give, since it was made
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
            windows = window_rows.loaded(self._opened)
            query = "SELECT site, url, state, weight FROM members"
            members = self._opened.execute(query).fetchall()
            told = tuple(map(decode_entry, history.told(self._opened)))
        return Loaded(
            windows=windows,
            members=tuple(
                MemberPut(site=site, url=url, state=MemberState(state), weight=weight)
                for site, url, state, weight in members
            ),
            told=told,
        )

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        """Write `changes` and `entry`, all or nothing; fires when they are on disk."""
        return self.write(_commit, changes, (entry,))

    def append(self, entries: tuple[HistoryEntry, ...]) -> Deferred[None]:
        """Write `entries`, all or nothing, in this order; fires when they are on disk."""
        return self.write(_commit, (), entries)

    def get(self, name: str) -> Deferred[Window | None]:
        """The window of that id, also a final one."""
        return self.read(window_rows.get, name)

    def past(self, site: str | None, limit: int) -> Deferred[tuple[Window, ...]]:
        """The `limit` final windows that started last, the last one first.

        `site` None is all of them; else those of the site and those of every site.
        """
        return self.read(window_rows.past, site, limit)

    def read(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        """What ``function(connection, *args)`` reads."""
        return self._run(self._read, function, *args)

    def write(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        """Let ``function(connection, *args)`` write, all or nothing; fires when it is on disk."""
        return self._run(self._write, function, *args).addCallback(self._grown)

    def _grown(self, written: T) -> T:
        for listener in self.listeners:
            listener()
        return written

    # --- in the journal's thread ------------------------------------------------------------

    def _read(self, function: Callable[..., T], *args: Any) -> T:
        with self._faults():
            return function(self._opened, *args)

    def _write(self, function: Callable[..., T], *args: Any) -> T:
        with self._faults(), database.transaction(self._opened) as connection:
            # SQLite would go on writing to a file that nobody will find again.
            if _identity(self._path) != self._file:
                self.failures += 1
                raise JournalError(f"{self._path}: removed or replaced since sorryd began")
            return function(connection, *args)

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalError(f"{self._path}: the journal is closed")
        return self._connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Whatever is wrong with the file or its content, as a JournalError of one line."""
        try:
            yield
        except (sqlite3.Error, msgspec.MsgspecError, OSError, ValueError) as fault:
            said = getattr(fault, "strerror", None) or str(fault)
            words = next(iter(said.splitlines()), type(fault).__name__)
            self.failures += 1
            raise JournalError(f"{self._path}: {words}") from None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _commit(
    connection: sqlite3.Connection, changes: tuple[Change, ...], entries: tuple[HistoryEntry, ...]
) -> None:
    for change in changes:
        _put(connection, change)
    for entry in entries:
        append(connection, entry)


def append(connection: sqlite3.Connection, entry: HistoryEntry) -> None:
    """Put `entry` behind all others, within a transaction."""
    body = msgspec.json.encode(entry).decode()
    seq = history.append(connection, entry.at, entry.verb, entry.site, body)
    is_told = entry.fact is not None and not isinstance(entry.fact, HookFailed)
    if is_told and entry.site is not None:
        history.tell(connection, entry.verb, entry.site, entry.member or "", body)
    if entry.verb == history.HEALTH and seq % _PRUNE_EVERY == 0:
        history.prune(connection, entry.at)


def _put(connection: sqlite3.Connection, change: Change) -> None:
    match change:
        case WindowPut(window=window):
            window_rows.put(connection, window)
        case MemberPut():
            connection.execute(
                "REPLACE INTO members (site, url, state, weight) VALUES (?, ?, ?, ?)",
                (change.site, change.url, change.state.value, change.weight),
            )
        case _:
            assert_never(change)
