"""``sorryctl upgrade``: asks for the upgrade, and waits until the new release answers."""

from __future__ import annotations

import time
from typing import Any

from sorryd.ctl.client import Daemon, NoDaemonError
from sorryd.ctl.options import NoDaemon, daemon, senseless, socket_path

CHECKING = 150.0  # seconds in which the new release says whether it would start
RETURNING = 60.0  # seconds in which it must answer then
LOOK_EVERY = 0.1  # seconds


def upgraded() -> Any:
    """The result of the upgrade, once it is done. Raises Refused, and NoDaemon."""
    with daemon(CHECKING) as one:
        result: Any = one.ask("daemon.upgrade", {})
    try:
        before = result["started"]
    except (KeyError, TypeError):
        raise senseless() from None
    path, deadline = socket_path(), time.monotonic() + RETURNING
    while not _is_back(path, before):
        if time.monotonic() > deadline:
            raise NoDaemon(
                f"the new sorryd has not answered within {RETURNING:.0f} s, its log says why; "
                "the workers serve on"
            )
        time.sleep(LOOK_EVERY)
    return result


def _is_back(path: str, before: str) -> bool:
    """Whether somebody answers who was not there `before`."""
    try:
        with Daemon(path, RETURNING) as one:
            found = one.ask("daemon.version", {})
    except NoDaemonError:
        return False
    return isinstance(found, dict) and found.get("started") != before
