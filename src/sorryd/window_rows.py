"""The table `windows` of the journal: windows as they are, and which of them matter at a start.

All functions run in the journal's thread.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable

import msgspec

from sorryd.window import Window

_LONG = 8 * 86400.0  # seconds; instances that are over are looked back at for so long at least


def put(connection: sqlite3.Connection, window: Window) -> None:
    """The window is like this from now on."""
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


def get(connection: sqlite3.Connection, name: str) -> Window | None:
    """The window of that id, also a final one."""
    return next(iter(_windows(connection, "id = ?", name)), None)


def past(connection: sqlite3.Connection, site: str | None, limit: int) -> tuple[Window, ...]:
    """The `limit` final windows that started last, the last one first.

    `site` None is all of them; else those of the site and those of every site.
    """
    wanted = "final = 1 AND (? IS NULL OR site IS NULL OR site = ?)"
    ordered = f"{wanted} ORDER BY start DESC, id LIMIT ?"
    return _windows(connection, ordered, site, site, limit)


def loaded(connection: sqlite3.Connection) -> tuple[Window, ...]:
    """What `journal.Loaded` has of windows."""
    alive = _windows(connection, "final = 0")
    over = [one for window in _recurring(connection) for one in _over(connection, window)]
    found = (*alive, *over, *_led_to(connection, alive))
    return tuple({one.id: one for one in found}.values())


def _recurring(connection: sqlite3.Connection) -> tuple[Window, ...]:
    """Series that are not over, and what was one: it may be one again, and what is over is over."""
    return _windows(
        connection,
        "final = 0 AND EXISTS (SELECT 1 FROM windows AS one WHERE one.series = windows.id)",
    )


def _over(connection: sqlite3.Connection, series: Window) -> tuple[Window, ...]:
    """Final instances of `series`: the cancelled ones, and the last ones that were over."""
    query = "SELECT max(ended) FROM windows WHERE series = ?"
    (last,) = connection.execute(query, (series.id,)).fetchone()
    since = -math.inf if last is None else last - _lasts(series) - _LONG
    wanted = "series = ? AND final = 1 AND (ended IS NULL OR ended >= ?)"
    return _windows(connection, wanted, series.id, since)


def _led_to(connection: sqlite3.Connection, alive: Iterable[Window]) -> tuple[Window, ...]:
    """Ended windows from which the down-times of `alive` may have begun, and some more.

    Those that ended since the first of them started; and since the first of those did; and
    so on. An instance of a series may be under way since it was last written of.
    """
    found: tuple[Window, ...] = ()
    (last,) = connection.execute("SELECT max(ended) FROM windows").fetchone()
    starts = (
        window.start if window.every is None else (last or 0.0) - _lasts(window) for window in alive
    )
    start = min(starts, default=None)
    before = None
    while start is not None and start != before:
        found = _windows(connection, "ended >= ?", start)
        before, start = start, min((start, *(window.start for window in found)))
    return found


def _lasts(series: Window) -> float:
    """Seconds from the start of an instance until it is over by itself."""
    assert series.end is not None
    return series.end - series.start + (series.until_healthy or 0.0)


def _windows(connection: sqlite3.Connection, wanted: str, *values: object) -> tuple[Window, ...]:
    rows = connection.execute(f"SELECT body FROM windows WHERE {wanted}", values)
    return tuple(msgspec.json.decode(body, type=Window) for (body,) in rows)
