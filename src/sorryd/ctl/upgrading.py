"""``sorryctl upgrade``: asks for the upgrade, and waits until the new release answers."""

from __future__ import annotations

import time
from typing import Any

from sorryd.ctl.client import Daemon, NoDaemonError
from sorryd.ctl.options import NoDaemon, Refused, daemon, senseless, socket_path

CHECKING = 150.0  # seconds in which the new release says whether it would start
RETURNING = 60.0  # seconds in which it must answer then
LOOK_EVERY = 0.1  # seconds


def upgraded() -> Any:
    """The result of the upgrade, once it is done. Raises Refused, and NoDaemon."""
    with daemon(CHECKING) as one:
        result: Any = one.ask("daemon.upgrade", {})
    try:
        before, wanted = result["started"], result["next_version"]
    except (KeyError, TypeError):
        raise senseless() from None
    found = _returned(socket_path(), before)
    if found != wanted:
        raise Refused(f"sorryd {wanted} did not start, its log says why; sorryd {found} runs")
    return result


def _returned(path: str, before: str) -> str:
    """The version of who answers then. Raises NoDaemon."""
    deadline = time.monotonic() + RETURNING
    while (found := _back(path, before)) is None:
        if time.monotonic() > deadline:
            raise NoDaemon(
                f"the new sorryd has not answered within {RETURNING:.0f} s, its log says why; "
                "the workers serve on"
            )
        time.sleep(LOOK_EVERY)
    return found


def _back(path: str, before: str) -> str | None:
    """The version of who answers, if that was not there `before`."""
    try:
        with Daemon(path, RETURNING) as one:
            found = one.ask("daemon.version", {})
    except NoDaemonError:
        return None
    if not isinstance(found, dict) or found.get("started") == before:
        return None
    return str(found.get("version"))
