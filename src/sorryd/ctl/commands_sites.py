"""Commands on sites: status, down, up, is-down."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sorryd.ctl.client import Param
from sorryd.ctl.commands import command, option, pages, reason_in, site_argument
from sorryd.ctl.options import choices, put, put_json, result_of, senseless, warn
from sorryd.ctl.parameters import at_most_one, reasons
from sorryd.ctl.patience import Patience, goals, put_in_time, wait_options

if TYPE_CHECKING:
    from sorryd.ctl.goals import Goal

_AHEAD = "7d"  # what a timeline shows at most
_DOWN = frozenset({"draining", "down", "verifying"})


@command("status", examples=["sorryctl status", "sorryctl status shop"])
@site_argument
def status(site: str | None) -> None:
    """Phase of each site, why and until when; members; next window."""
    result = result_of("status", {"site": site, "ahead": None if choices().json else _AHEAD})
    put(result, lambda: pages().status_page(result))


@command(
    "down",
    "disable",
    examples=[
        'sorryctl down shop --for 1h --reason "a broken switch"',
        "sorryctl down shop --until 05:00 --drain 2m",
        'sorryctl down --reason "new disks" --reason-in "de=neue Platten"',
        'REASON="database upgrade" UNTIL="12pm Central Time" sorryctl disable',
    ],
)
@site_argument
@option("reason", "TEXT", "Shown to visitors. Also: $REASON.", envvar="REASON")
@reason_in
@option("until", "T", "When it ends. Also: $UNTIL, which may be any words.")
@option("for", "D", "How long it takes.")
@option("drain", "D", "Grace for requests in flight, in place of the site's.")
@wait_options("no request is in flight")
def down(wait: bool, timeout: str | None, reason_in: tuple[str, ...], **given: Param) -> None:
    """Maintenance now; open-ended unless told when it ends."""
    patience = Patience(wait, timeout)
    at_most_one(given, "until", "for")
    if given["until"] is None and given["for"] is None:
        given["until_text"] = os.environ.get("UNTIL") or None
    given["reasons"] = reasons(reason_in)
    result = result_of("site.down", given)
    _put_sites(patience, result, lambda names: goals().down(names))


@command("up", "enable", examples=["sorryctl up shop", "sorryctl up"])
@site_argument
@wait_options("it is live, and a member is available")
def up(site: str | None, wait: bool, timeout: str | None) -> None:
    """Back in service: ends a down, and an open window early."""
    patience = Patience(wait, timeout)
    result = result_of("site.up", {"site": site})
    _put_sites(patience, result, lambda names: goals().up(names))


@command("is-down", examples=['if sorryctl is-down shop; then echo "shop is in maintenance"; fi'])
@site_argument
def is_down(site: str | None) -> None:
    """Exit 0 if down, 1 if not; prints nothing.

    Without SITE: if every site is down.
    """
    result = result_of("status", {"site": site})
    if choices().json:
        put_json(result)
    try:
        phases = [one["phase"] for one in result["sites"]]
    except (KeyError, TypeError):
        raise senseless() from None
    click.get_current_context().exit(0 if phases and _DOWN.issuperset(phases) else 1)


def _put_sites(patience: Patience, result: Any, goal: Callable[[frozenset[str]], Goal]) -> None:
    """Print the sites of a `result`, and wait for their `goal`, if wanted."""
    try:
        names = frozenset(site["name"] for site in result)
        warn(*(site["window"] for site in result if site["window"] is not None))
    except (KeyError, TypeError, AttributeError):
        raise senseless() from None
    put_in_time(patience, result, lambda: pages().sites_page(result), lambda: goal(names))
