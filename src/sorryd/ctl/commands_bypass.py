"""The command for operators who want to see the site itself while it is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sorryd.ctl.commands import command, option, site_argument
from sorryd.ctl.options import put, result_of, warn

if TYPE_CHECKING:
    from sorryd.ctl.page import Page


@command(
    "bypass",
    examples=["sorryctl bypass shop", "sorryctl bypass shop --window upgrade --verbose"],
)
@site_argument
@option("window", "ID", "For this window, in place of the one that is open or next.")
@click.option("-v", "--verbose", is_flag=True, help="The header for scripts, too.")
def bypass(site: str | None, window: str | None, verbose: bool) -> None:
    """Print a secret link, to see the site itself while it is down.

    It is good for one window, and dies with it.
    """
    result = result_of("site.bypass", {"site": site, "window": window})

    def page() -> Page:
        from sorryd.ctl.bypass import bypass_page

        return bypass_page(result, verbose)

    put(result, page)
    warn(result)
