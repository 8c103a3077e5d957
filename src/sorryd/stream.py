"""The journal's history as a stream of events, for those who read on from a cursor.

A cursor is the `seq` of an entry; who has read up to it has read all before it. Nothing waits in
memory for a reader: each asks for the next entries when it can take them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from typing import Final

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from sorryd import history
from sorryd.journal import HistoryEntry, Journal, append, decode_entry
from sorryd.model import Value

BATCH: Final = 262144
"""Characters of entries that are read in one go, where there are more than one."""

Entries = tuple[HistoryEntry, ...]
Hook = tuple[str, str]  # a site, and its hook


class Tail(Value, frozen=True, kw_only=True):
    """`last` is the newest cursor. Up to `pruned` what was asked for may have gaps."""

    last: int
    pruned: int


class Stream:
    """Reads `journal`. Every Deferred may fail with JournalError."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def listen(self, grown: Callable[[], None]) -> None:
        """Call `grown` whenever something was written from now on."""
        self._journal.listeners.append(grown)

    def newest(
        self, site: str | None, limit: int, since: float = 0.0, health: bool = False
    ) -> Deferred[Entries]:
        """The last `limit` entries, oldest first, since that instant.

        `site` None is all of them; else those of the site and those of every site. Turns of
        members' health only with `health`.
        """
        return self._journal.read(_newest, site, limit, since, health)

    def following(
        self, after: int, site: str | None, limit: int, verbs: Collection[str] = ()
    ) -> Deferred[Entries]:
        """The next entries after that cursor, `limit` at the most; `site` as for `newest`.

        Those with one of the `verbs`, if there are any.
        """
        return self._journal.read(_following, after, site, limit, verbs)

    def tail(self, site: str | None = None) -> Deferred[Tail]:
        """Where the history ends; `site` as for `newest`."""
        return self._journal.read(_tail, site)

    def hook_cursors(self, hooks: frozenset[Hook]) -> Deferred[dict[str, int]]:
        """By site, the cursor up to which its hook has been told; `hooks` are all that there are.

        One that was not known begins at the present; those that are gone are forgotten.
        """
        return self._journal.write(history.cursors, hooks)

    def delivered(self, hook: Hook, seq: int, entries: Entries = ()) -> Deferred[None]:
        """Write that a hook has been told of all up to `seq`, and `entries`, all or nothing."""
        return self._journal.write(_delivered, hook, seq, entries)


def _newest(
    connection: sqlite3.Connection, site: str | None, limit: int, since: float, health: bool
) -> Entries:
    return _entries(history.newest(connection, site, since, health, limit))


def _following(
    connection: sqlite3.Connection,
    after: int,
    site: str | None,
    limit: int,
    verbs: Collection[str],
) -> Entries:
    return _entries(history.following(connection, after, site, limit, BATCH, verbs))


def _tail(connection: sqlite3.Connection, site: str | None) -> Tail:
    return Tail(last=history.last(connection), pruned=history.pruned(connection, site))


def _delivered(connection: sqlite3.Connection, hook: Hook, seq: int, entries: Entries) -> None:
    history.delivered(connection, *hook, seq)
    for entry in entries:
        append(connection, entry)


def _entries(rows: list[history.Row]) -> Entries:
    return tuple(replace(decode_entry(body), seq=seq) for seq, body in rows)
