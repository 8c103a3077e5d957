"""Commands that tell what happened, and what happens."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from sorryd.ctl.client import NoDaemonError, Param
from sorryd.ctl.commands import command, option, site_argument
from sorryd.ctl.options import (
    choices,
    complain,
    put,
    put_json,
    result_of,
    senseless,
    socket_path,
    translated,
)

if TYPE_CHECKING:
    from sorryd.ctl.shapes import Entry

SHORTEST, LONGEST = 0.1, 1.0  # seconds between two attempts to find the daemon again


@command(
    "history",
    examples=[
        "sorryctl history",
        "sorryctl history shop --since 7d",
        'sorryctl history --since "2026-11-22 02:00" --all',
    ],
)
@site_argument
@option("since", "T|D", "Only what happened since that time, or so long ago.")
@click.option("--all", "everything", is_flag=True, help="Also when members came and went.")
def history(site: str | None, since: str | None, everything: bool) -> None:
    """Who did what, when, why, and each phase of a site; oldest first."""
    result = result_of("history.list", {"site": site, "since": since, "all": everything or None})
    from sorryd.ctl.history import history_page

    put(result, lambda: history_page(result["entries"]))
    if not choices().json and result.get("more"):
        complain("only the newest 1000 are shown: narrow it with --since, or a SITE")


@command("watch", examples=["sorryctl watch", "sorryctl watch shop --json"])
@site_argument
@click.option("--after", metavar="CURSOR", type=click.IntRange(0), help="Go on behind that event.")
def watch(site: str | None, after: int | None) -> None:
    """Tell of events as they happen, a line each, until Ctrl-C.

    While the daemon restarts it waits, and then goes on with what came meanwhile.
    """
    with translated():
        _watch(socket_path(), {"site": site, "after": after})


def _watch(path: str, params: dict[str, Param]) -> None:
    from sorryd.ctl.following import events

    pause, begun, is_away = SHORTEST, False, False
    while True:
        try:
            for cursor, event in events(path, params):
                params["after"] = cursor
                if event is not None:
                    _tell(event)
                if is_away:
                    complain(f"the daemon is back: going on behind event {cursor}")
                begun, is_away, pause = True, False, SHORTEST
            why = "the daemon closed the connection"
        except NoDaemonError as error:
            if not begun:
                raise
            why = str(error)
        if not is_away:
            complain(f"{why}; waiting for it")
        is_away = True
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)


def _tell(event: Any) -> None:
    if choices().json:
        put_json(event)
    else:
        _tell_people(event)
    sys.stdout.flush()


def _tell_people(event: Entry) -> None:
    from sorryd.ctl.history import event_line

    try:
        shown = event_line(event)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise senseless() from None
    put(event, lambda: [shown])
