"""``sorryctl upgrade``: asks for the upgrade, and waits until the new release answers."""

from __future__ import annotations

import time
from typing import Any

from sorryd.ctl.client import Daemon, NoDaemonError
from sorryd.ctl.options import NoDaemon, Refused, complain, daemon, senseless, socket_path

CHECKING = 150.0  # seconds in which the new release says whether it would start
ANSWERING = 30.0  # seconds in which it answers, once it is there
TELL_AFTER = 10.0  # seconds after which it is said what is waited for
LOOK_EVERY = 0.1  # seconds


def upgraded() -> Any:
    """The result of the upgrade, once it is done. Raises Refused, and NoDaemon."""
    with daemon(CHECKING) as one:
        result: Any = one.ask("daemon.upgrade", {})
    try:
        before, wanted = result["started"], result["next_version"]
        within = float(result["within"])
    except (KeyError, TypeError, ValueError):
        raise senseless() from None
    found = _returned(socket_path(), before, within)
    if found != wanted:
        raise Refused(f"sorryd {wanted} did not start, its log says why; sorryd {found} runs")
    return result


def _returned(path: str, before: str, within: float) -> str:
    """The version of who answers then. Raises NoDaemon."""
    began, has_told = time.monotonic(), False
    while (found := _back(path, before)) is None:
        waited = time.monotonic() - began
        if waited > within:
            raise NoDaemon(
                f"the new sorryd has not answered within {within:.0f} s, its log says why; "
                "visitors are served on"
            )
        if waited > TELL_AFTER and not has_told:
            has_told = True
            complain(f"it begins when requests in flight are over, within {within:.0f} s")
        time.sleep(LOOK_EVERY)
    return found


def _back(path: str, before: str) -> str | None:
    """The version of who answers, if that was not there `before`."""
    try:
        with Daemon(path, ANSWERING) as one:
            found = one.ask("daemon.version", {})
    except NoDaemonError:
        return None
    if not isinstance(found, dict) or found.get("started") == before:
        return None
    return str(found.get("version"))
