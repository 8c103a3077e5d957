"""Events as the daemon sends them: one connection, from its first line to its end.

Of the standard library only, as `client`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sorryd.ctl.client import Daemon, NoDaemonError, Param


def events(path: str, params: Mapping[str, Param]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Each event with its cursor; before all of them, None with the cursor to begin at.

    Ends when the daemon closes the connection. Raises NoDaemonError, RefusedError.
    """
    with Daemon(path) as daemon:
        begun = daemon.ask("events.subscribe", params)
        yield _cursor(path, begun), None
        for line in daemon.lines():
            event = _event(line)
            yield _cursor(path, event), event


def _cursor(path: str, told: object) -> int:
    match told:
        case {"cursor": int(cursor)}:
            return cursor
        case _:
            raise NoDaemonError(f"what answers at {path} is not sorryd, or of another version")


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match message:
        case {"method": "event", "params": dict(event)}:
            return event
        case _:
            return None
