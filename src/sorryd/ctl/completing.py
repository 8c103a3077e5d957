"""What a shell may complete from the running daemon: sites, windows, members.

Quick, and silent: without a daemon nothing is offered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sorryd.ctl.shapes import Status, Window

    Items = list[CompletionItem[str]]

Told = list[tuple[str, str]]  # what is offered, and what it is
WITHIN = 0.5  # seconds that the daemon has


def sites(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Names of sites, with their phases."""

    def told(status: Status) -> Told:
        return [(site["name"], site["phase"]) for site in status["sites"]]

    return _offered(context, "status", told, incomplete)


def windows(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Ids of windows that are open or to come, with what they are for."""

    def told(found: list[Window]) -> Told:
        return [
            (one["id"], f"{one['site'] or 'every site'} {one['phase']}: {one['reason'] or '-'}")
            for one in found
        ]

    return _offered(context, "window.list", told, incomplete)


def members(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Members by URL; by SITE/URL where two sites share one, or that is what was begun."""

    def told(status: Status) -> Told:
        pairs = [(site["name"], one) for site in status["sites"] for one in site["members"]]
        urls = [one["url"] for _, one in pairs]
        offered = []
        for site, one in pairs:
            by_site = urls.count(one["url"]) > 1 or incomplete.startswith(f"{site}/")
            name = f"{site}/{one['url']}" if by_site else one["url"]
            offered.append((name, f"{site} {one['state']} {one['health']}"))
        return offered

    return _offered(context, "status", told, incomplete)


def zones(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Time zones."""
    from zoneinfo import available_timezones

    return _items([(name, "") for name in sorted(available_timezones())], incomplete)


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Whatever the shell has for a file's name."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _items(told: Told, incomplete: str) -> Items:
    from click.shell_completion import CompletionItem

    from sorryd.ctl.page import clean

    return [
        CompletionItem(clean(value), help=clean(text) or None)
        for value, text in told
        if value.startswith(incomplete)
    ]


def _offered(
    context: click.Context, method: str, told: Callable[[Any], Told], incomplete: str
) -> Items:
    """What is `told` of the daemon's result; nothing where there is none in time."""
    from sorryd.ctl.options import daemon

    try:
        with context.scope(cleanup=False), daemon(WITHIN) as one:
            return _items(told(one.ask(method, {})), incomplete)
    except (click.ClickException, KeyError, TypeError):
        return []
