"""The command that tells what will happen."""

from __future__ import annotations

import click

from sorryd.ctl.commands import command, site_argument
from sorryd.ctl.options import put, result_of


@command("plan", examples=["sorryctl plan", "sorryctl plan shop --days 30"])
@site_argument
@click.option(
    "--days", metavar="N", type=click.IntRange(1, 366), help="How far ahead; 7 if left out."
)
def plan(site: str | None, days: int | None) -> None:
    """What will happen, in local time and in UTC."""
    from sorryd.ctl.plan import plan_page

    result = result_of("window.plan", {"site": site, "days": days})
    put(result, lambda: plan_page(result))
