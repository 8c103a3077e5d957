"""Commands on windows: plan, look at, change and take back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from sorryd.ctl.client import Param
from sorryd.ctl.commands import command, id_argument, option, pages, reason_in, site_argument
from sorryd.ctl.completing import members, zones
from sorryd.ctl.options import put, result_of, senseless, warn
from sorryd.ctl.parameters import exactly_one, members_site, reasons, scope
from sorryd.ctl.patience import Patience, goals, put_in_time, wait_options

if TYPE_CHECKING:
    from sorryd.ctl.page import Page
    from sorryd.ctl.shapes import Planned


@command(
    "schedule",
    examples=[
        'sorryctl schedule shop --from "tomorrow 02:00" --for 3h --reason disks',
        'sorryctl schedule --from "2026-11-22 02:00" --until 05:00 --id night',
        "sorryctl schedule shop --from 02:00 --for 1h --timezone Asia/Tokyo",
        "sorryctl schedule shop --from 02:00 --for 1h --dry-run",
        "sorryctl schedule shop --from 02:00 --for 2h --every daily --id nightly",
        'sorryctl schedule --from 02:00 --for 3h --every "FREQ=MONTHLY;BYDAY=1SU"',
        "sorryctl schedule shop --from 02:00 --for 1h --until-healthy 10m",
        "sorryctl schedule shop --from 02:00 --for 1h --path /cart --read-only",
    ],
)
@site_argument
@option("from", "T", "When it begins.", required=True)
@option("until", "T", "When it ends.")
@option("for", "D", "How long it takes.")
@option("reason", "TEXT", "Shown to visitors.")
@reason_in
@option("every", "RRULE", "Again and again: daily, weekly, monthly, or an RRULE (RFC 5545).")
@option(
    "timezone",
    "ZONE",
    "Where times without a zone are, in place of the site's.",
    shell_complete=zones,
)
@option("drain", "D", "Grace for requests in flight, in place of the site's.")
@option("until-healthy", "D", "At the end stay down until the members are healthy, so long.")
@option(
    "give-up",
    "WHAT",
    "And then: open, or stay down, which is what it does unless told.",
    type=click.Choice(["open", "stay"]),
)
@option("id", "NAME", "Its name; the same name again changes it.")
@option("path", "P", "Only this path and all below it. May be repeated.", multiple=True)
@option(
    "member",
    "MEMBER",
    "Take out only this member. May be repeated.",
    multiple=True,
    shell_complete=members,
)
@click.option("--read-only", is_flag=True, help="Refuse only methods that change something.")
@click.option("--dry-run", is_flag=True, help="Say what would be, and change nothing.")
def schedule(
    path: tuple[str, ...],
    member: tuple[str, ...],
    reason_in: tuple[str, ...],
    read_only: bool,
    dry_run: bool,
    **given: Param,
) -> None:
    """Plan a window, and print its id."""
    exactly_one(given, "until", "for")
    given |= {
        "site": members_site(given["site"], member),
        "dry_run": dry_run or None,
        "scope": scope(path, member, read_only),
        "reasons": reasons(reason_in),
    }
    result = result_of("window.schedule", given)
    if dry_run:
        put(result, lambda: [*pages().window_page(result), *_dry_page(result["plan"])])
        return
    put(result, lambda: pages().id_page(result))
    warn(result)


@command("windows", examples=["sorryctl windows", "sorryctl windows shop --past"])
@site_argument
@click.option("--past", is_flag=True, help="Those that are over, too.")
def windows(site: str | None, past: bool) -> None:
    """Windows that are open or to come."""
    result = result_of("window.list", {"site": site, "past": past or None})
    put(result, lambda: pages().windows_page(result))


@command("show", examples=["sorryctl show night"])
@id_argument
def show_window(window_id: str) -> None:
    """One window."""
    _window("window.get", {"id": window_id})


@command(
    "extend", examples=["sorryctl extend night --by 30m", "sorryctl extend night --until 05:30"]
)
@id_argument
@option("until", "T", "The new end.")
@option("by", "D", "So much longer.")
def extend(window_id: str, **given: Param) -> None:
    """Move the end of a window that is open or to come.

    Of a series (ID) it is the open instance's; ID@FROM is one instance.
    """
    exactly_one(given, "until", "by")
    _window("window.extend", {"id": window_id, **given})


@command("end", examples=["sorryctl end night", "sorryctl end night --wait"])
@id_argument
@wait_options("it is over: its members are verified, where it says so")
def end(window_id: str, wait: bool, timeout: str | None) -> None:
    """End an open window now.

    Of a series (ID) it is the instance that is open.
    """
    patience = Patience(wait, timeout)
    result = result_of("window.end", {"id": window_id})
    try:
        ended = result["id"]  # of a series the instance that was open
    except (KeyError, TypeError):
        raise senseless() from None
    page, goal = lambda: pages().window_page(result), lambda: goals().end(ended)
    put_in_time(patience, result, page, goal)


@command("cancel", examples=["sorryctl cancel night", "sorryctl cancel nightly@2026-11-24T02:00"])
@id_argument
def cancel(window_id: str) -> None:
    """Take back a window that is to come.

    ID of a series takes all of it back, ID@FROM one instance.
    """
    _window("window.cancel", {"id": window_id})


def _dry_page(plan: list[Planned]) -> Page:
    from sorryd.ctl.plan import dry_page

    return dry_page(plan)


def _window(method: str, params: Mapping[str, Param]) -> None:
    result = result_of(method, params)
    put(result, lambda: pages().window_page(result))
