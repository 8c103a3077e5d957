"""Commands on sites: status, down, up, is-down."""

from __future__ import annotations

import os

import click

from sorryd.ctl.client import Param
from sorryd.ctl.commands import command, option, pages, site_argument
from sorryd.ctl.options import choices, put, put_json, result_of, senseless, warn
from sorryd.ctl.parameters import at_most_one

_DOWN = frozenset({"draining", "down", "verifying"})


@command("status")
@site_argument
def status(site: str | None) -> None:
    """Phase of each site, why and until when; members; next window."""
    result = result_of("status", {"site": site})
    put(result, lambda: pages().status_page(result))


@command("down", "disable")
@site_argument
@option("reason", "TEXT", "Shown to visitors. Also: $REASON.", envvar="REASON")
@option("until", "T", "When it ends. Also: $UNTIL, which may be any words.")
@option("for", "D", "How long it takes.")
@option("drain", "D", "Grace for requests in flight, in place of the site's.")
def down(**given: Param) -> None:
    """Maintenance now; open-ended unless told when it ends."""
    at_most_one(given, "until", "for")
    if given["until"] is None and given["for"] is None:
        given["until_text"] = os.environ.get("UNTIL") or None
    result = result_of("site.down", given)
    put(result, lambda: pages().sites_page(result))
    warn(*(site["window"] for site in result if site["window"] is not None))


@command("up", "enable")
@site_argument
def up(site: str | None) -> None:
    """Back in service: ends a down, and an open window early."""
    result = result_of("site.up", {"site": site})
    put(result, lambda: pages().sites_page(result))


@command("is-down")
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
