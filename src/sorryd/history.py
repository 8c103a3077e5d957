"""The table `history` as a stream: rows are appended, and read on from a cursor.

`seq` is the cursor. It grows with each row and is never given twice, so who has read up to one
goes on after it. Only turns of members' health are ever removed, so that a member that comes and
goes for years fills no disk; `pruned` remembers up to where that has been done.

All functions run in the journal's thread, in whatever transaction there is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Set
from typing import Any, Final

HEALTH: Final = "member.health"
"""The verb of the rows that may be removed."""

KEPT: Final = 100_000
"""Rows of members' health that are kept at the most."""

KEPT_FOR: Final = 30 * 86400.0
"""Seconds that they are kept for."""

_AT_ONCE = 1000  # rows that are removed in one go
_OF_SITE = "(? IS NULL OR site IS NULL OR site = ?)"

Row = tuple[int, str]
"""`seq` and `body`."""


def append(
    connection: sqlite3.Connection, at: float, verb: str, site: str | None, body: str
) -> int:
    """Put a row behind all others; its `seq`."""
    found = connection.execute(
        "INSERT INTO history (at, verb, site, body) VALUES (?, ?, ?, ?) RETURNING seq",
        (at, verb, site, body),
    )
    (seq,) = found.fetchone()
    return int(seq)


def tell(connection: sqlite3.Connection, verb: str, site: str, subject: str, body: str) -> None:
    """Remember `body` as the last one told of `subject`, for the next start."""
    connection.execute(
        "REPLACE INTO told (verb, site, subject, body) VALUES (?, ?, ?, ?)",
        (verb, site, subject, body),
    )


def told(connection: sqlite3.Connection) -> list[str]:
    """All that was told last."""
    return [body for (body,) in connection.execute("SELECT body FROM told")]


def newest(
    connection: sqlite3.Connection, site: str | None, since: float, health: bool, limit: int
) -> list[Row]:
    """The last `limit` rows, oldest first, that are not older than the instant `since`.

    `site` None is all of them; else those of the site and those of every site. Those of members'
    health only with `health`.
    """
    kinds = "" if health else f" AND verb != '{HEALTH}'"
    wanted = f"SELECT seq, body FROM history WHERE {_OF_SITE} AND at >= ?{kinds}"
    rows = connection.execute(f"{wanted} ORDER BY seq DESC LIMIT ?", (site, site, since, limit))
    return list(reversed(rows.fetchall()))


def following(
    connection: sqlite3.Connection,
    after: int,
    site: str | None,
    rows: int,
    size: int,
    verbs: Collection[str] = (),
) -> list[Row]:
    """The next rows after the cursor `after`, in order; `site` as for `newest`.

    So many rows at the most, and so many characters; but one, if there is one. Those with one of
    the `verbs`, if there are any.
    """
    wanted = f"SELECT seq, body FROM history WHERE seq > ? AND {_OF_SITE}"
    asked: tuple[Any, ...] = (after, site, site)
    if verbs:  # found by the index alone: rows of other verbs, and bodies too many, are not read
        marks = ", ".join("?" * len(verbs))
        wanted += f" AND seq IN (SELECT seq FROM history WHERE verb IN ({marks}) AND seq > ?)"
        asked += (*verbs, after)
    found: list[Row] = []
    for seq, body in connection.execute(f"{wanted} ORDER BY seq", asked):
        found.append((seq, body))
        size -= len(body)
        if len(found) >= rows or size <= 0:
            break
    return found


def last(connection: sqlite3.Connection) -> int:
    """The cursor of the last row that was ever appended; 0 before the first."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'history'").fetchone()
    return 0 if found is None else int(found[0])


def pruned(connection: sqlite3.Connection, site: str | None = None) -> int:
    """The cursor up to which rows may be missing, of a site or of any."""
    found = connection.execute(f"SELECT max(seq) FROM pruned WHERE {_OF_SITE}", (site, site))
    return int(found.fetchone()[0])


def prune(
    connection: sqlite3.Connection, now: float, kept: int = KEPT, kept_for: float = KEPT_FOR
) -> None:
    """Remove some of the rows of members' health that are too old, or too many."""
    too_many = connection.execute(
        "SELECT seq FROM history WHERE verb = ? ORDER BY seq DESC LIMIT 1 OFFSET ?", (HEALTH, kept)
    ).fetchone()
    oldest: list[tuple[Any, ...]] = connection.execute(
        "SELECT seq, at, site FROM history WHERE verb = ? ORDER BY seq LIMIT ?", (HEALTH, _AT_ONCE)
    ).fetchall()
    least = 0 if too_many is None else too_many[0]
    gone = {seq: site for seq, at, site in oldest if seq <= least or at < now - kept_for}
    connection.executemany("DELETE FROM history WHERE seq = ?", [(seq,) for seq in gone])
    connection.executemany(
        "INSERT INTO pruned (site, seq) VALUES (?, ?)"
        " ON CONFLICT (site) DO UPDATE SET seq = max(seq, excluded.seq)",
        {site: seq for seq, site in gone.items()}.items(),
    )


# --- how far hooks have been told -----------------------------------------------------------


def cursors(connection: sqlite3.Connection, hooks: Set[tuple[str, str]]) -> dict[str, int]:
    """By site, the cursor up to which its hook has been told; `hooks` are all that there are.

    One that was not known begins behind the last row; those that are gone are forgotten.
    """
    known = {
        (site, hook): seq
        for site, hook, seq in connection.execute("SELECT site, hook, seq FROM hooks")
    }
    connection.executemany("DELETE FROM hooks WHERE site = ? AND hook = ?", known.keys() - hooks)
    present = last(connection)
    connection.executemany(
        "INSERT INTO hooks (site, hook, seq) VALUES (?, ?, ?)",
        [(*hook, present) for hook in hooks - known.keys()],
    )
    return {site: known.get((site, hook), present) for site, hook in hooks}


def delivered(connection: sqlite3.Connection, site: str, hook: str, seq: int) -> None:
    """The hook of a site has been told of all rows up to `seq`; nothing, if it is gone."""
    connection.execute("UPDATE hooks SET seq = ? WHERE site = ? AND hook = ?", (seq, site, hook))
