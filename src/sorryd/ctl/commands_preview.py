"""The command that shows the sorry page: preview."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from sorryd.ctl.client import Param
from sorryd.ctl.commands import command, option, site_argument
from sorryd.ctl.options import choices, put_json, result_of, senseless, warn
from sorryd.ctl.page import clean

_TYPES = {"html": "text/html", "json": "application/json", "text": "text/plain"}
_CAUSES = ("window", "manual", "file", "members")
_PHASES = ("draining", "down", "verifying")


@command(
    "preview",
    examples=[
        "sorryctl preview shop --language ja > page.html",
        "sorryctl preview shop --accept json --phase verifying",
        "sorryctl preview shop --window db-upgrade -i",
        "sorryctl preview shop --cause members",
    ],
)
@site_argument
@option("language", "L", 'For a reader of ja, or of "de, en;q=0.5": Accept-Language.')
@option("accept", "TYPE", "For who prefers html, json or text, or another value of Accept.")
@click.option("--phase", type=click.Choice(_PHASES), help="In this phase of the maintenance.")
@click.option("--cause", type=click.Choice(_CAUSES), help="For this cause: members is unplanned.")
@option("window", "ID", "In this window, or ID@FROM for one instance of a series.")
@click.option("--headers", "-i", is_flag=True, help="Print status and header fields, too.")
def preview(headers: bool, **given: Param) -> None:
    """The sorry page as a visitor would get it.

    Without --window: as it is now, else in the next window, else in one that is made up.
    """
    accept = given["accept"]
    if isinstance(accept, str):
        given["accept"] = _TYPES.get(accept, accept)
    result = result_of("page.preview", given)
    if choices().json:
        put_json(result)
        return
    try:
        text = "".join((*(_head(result) if headers else ()), result["body"]))
        warn(result)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise senseless() from None
    _put(text)


def _head(result: Any) -> Iterator[str]:
    yield f"HTTP/1.1 {int(result['status'])}\n"
    for name, value in result["headers"].items():
        yield f"{name}: {value}\n"
    yield "\n"


def _put(text: str) -> None:
    """Into a file to the byte; on a terminal without what would move its cursor."""
    if not sys.stdout.isatty():
        click.echo(text.encode("utf-8", "replace"), nl=False)
        return
    for line in text.removesuffix("\n").split("\n"):
        click.echo(clean(line))
