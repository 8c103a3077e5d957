"""A secret link as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorryd.ctl.page import Page, Span, line
from sorryd.ctl.times import local

if TYPE_CHECKING:
    from sorryd.ctl.shapes import Bypass


def bypass_page(bypass: Bypass, verbose: bool) -> Page:
    """The link alone, for scripts to keep: one a line where the site has several hosts.

    `verbose`: and the field that does the same, and what it is good for.
    """
    page: Page = [line(one) for one in bypass["urls"] or [bypass["path"]]]
    if verbose:
        window = bypass["window"]
        what = "the sorry file" if window is None else f"window {window}"
        field = bypass["header"]
        page.append(line(f"{field['name']}: {field['value']}"))
        page.append(line(Span(f"for {what}, at the most until {local(bypass['expires'])}", "dim")))
    return page
