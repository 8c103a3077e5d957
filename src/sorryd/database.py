"""The SQLite file under the journal: its tables, how it is opened, checked and migrated."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

APPLICATION_ID = 0x736F7279  # "sory", in the header of our SQLite files

# The n-th script brings a journal from format n to n + 1 (PRAGMA user_version).
MIGRATIONS = (
    """
    CREATE TABLE windows (
        id TEXT PRIMARY KEY,
        site TEXT,             -- NULL: every site
        start REAL NOT NULL,
        ended REAL,
        final INTEGER NOT NULL,
        body TEXT NOT NULL     -- the Window as JSON
    ) WITHOUT ROWID;
    CREATE INDEX windows_by_final ON windows (final, start);
    CREATE INDEX windows_by_end ON windows (ended);
    CREATE TABLE members (
        site TEXT NOT NULL,
        url TEXT NOT NULL,
        state TEXT NOT NULL,
        weight INTEGER,        -- NULL: the configured one
        PRIMARY KEY (site, url)
    ) WITHOUT ROWID;
    CREATE TABLE history (     -- only ever appended to; see stream.py
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        verb TEXT NOT NULL,
        site TEXT,
        body TEXT NOT NULL     -- the HistoryEntry as JSON
    );
    CREATE INDEX history_by_site ON history (site, seq);
    """,
    """
    ALTER TABLE windows ADD COLUMN series TEXT;  -- of an instance: the id of its series
    CREATE INDEX windows_by_series ON windows (series, ended) WHERE series IS NOT NULL;
    """,
    """
    CREATE INDEX history_by_verb ON history (verb, seq);
    CREATE TABLE told (        -- the last line of the history on each subject
        verb TEXT NOT NULL,
        site TEXT NOT NULL,
        subject TEXT NOT NULL, -- a member's URL; empty: the site itself
        body TEXT NOT NULL,    -- the HistoryEntry as JSON
        PRIMARY KEY (verb, site, subject)
    ) WITHOUT ROWID;
    CREATE TABLE pruned (seq INTEGER NOT NULL);  -- up to where history may have gaps
    INSERT INTO pruned VALUES (0);
    CREATE TABLE hooks (       -- up to which line each hook has been told
        site TEXT NOT NULL,
        hook TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (site, hook)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE pruned ADD COLUMN site TEXT;  -- NULL: of any, by an older sorryd
    CREATE UNIQUE INDEX pruned_by_site ON pruned (site);
    """,
)


def connected(path: str) -> sqlite3.Connection:
    """The file at `path`, made where there is none, for our user alone."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    _sync_folder(os.path.dirname(path) or ".")
    # One thread at a time uses it, as the module says, but not always the same one.
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def check(connection: sqlite3.Connection) -> None:
    """Raise ValueError unless the file is empty, or a whole journal that we can read."""
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application, version, tables) != (0, 0, 0):
        raise ValueError("not a journal of sorryd")
    if version > len(MIGRATIONS):
        raise ValueError(
            f"written by a newer sorryd (format {version}, this one knows {len(MIGRATIONS)})"
        )
    if (state := _pragma(connection, "quick_check")) != "ok":
        raise ValueError(f"the journal is damaged: {str(state).splitlines()[-1]}")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a checked file to the newest format, and let every commit reach the disk."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    for version in range(_pragma(connection, "user_version"), len(MIGRATIONS)):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[version]}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version + 1};"
            "COMMIT;"
        )


def _sync_folder(folder: str) -> None:
    """Put the name of a file just made on disk too, not only the file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing: committed when the block is done, rolled back when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # SQLite may have rolled back by itself, as it does on a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
