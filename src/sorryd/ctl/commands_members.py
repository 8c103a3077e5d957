"""Commands on members: look at them, take them out, weigh them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from sorryd.ctl.client import Param
from sorryd.ctl.commands import command, member_argument, pages, site_argument
from sorryd.ctl.options import put, result_of, senseless
from sorryd.ctl.parameters import site_and_url
from sorryd.ctl.patience import Patience, goals, put_in_time, wait_options


@command("members", examples=["sorryctl members", "sorryctl members shop"])
@site_argument
def members(site: str | None) -> None:
    """Members with weight, state, health and requests in flight."""
    result = result_of("status", {"site": site})
    put(result, lambda: pages().members_page(result))


@command(
    "ready",
    examples=["sorryctl ready http://10.0.0.11:3000", "sorryctl ready shop/http://10.0.0.11:3000"],
)
@member_argument
def ready(member: str) -> None:
    """Let a member take requests."""
    _set_member(member, {"state": "ready"})


@command("drain", examples=["sorryctl drain http://10.0.0.11:3000"])
@member_argument
@wait_options("none of its requests is in flight")
def drain(member: str, wait: bool, timeout: str | None) -> None:
    """Give a member no new visitors; those it has may finish."""
    _take_out(Patience(wait, timeout), member, "drain")


@command("maint", examples=["sorryctl maint http://10.0.0.11:3000"])
@member_argument
@wait_options("none of its requests is in flight")
def maint(member: str, wait: bool, timeout: str | None) -> None:
    """Give a member nothing at all."""
    _take_out(Patience(wait, timeout), member, "maint")


@command("weight", examples=["sorryctl weight http://10.0.0.11:3000 5"])
@member_argument
@click.argument("number", metavar="N", type=click.IntRange(0, 256))
def weight(member: str, number: int) -> None:
    """Set a member's share of the requests, 0 to 256."""
    _set_member(member, {"weight": number})


def _take_out(patience: Patience, member: str, state: str) -> None:
    """Set the state of a member, and wait until it has no requests, if wanted."""
    result = _changed(member, {"state": state})
    try:
        site, url = result["site"], result["url"]
    except (KeyError, TypeError):
        raise senseless() from None

    put_in_time(
        patience,
        result,
        lambda: pages().member_page(result),
        lambda: goals().out(site, url, state),
    )


def _set_member(member: str, change: Mapping[str, Param]) -> None:
    result = _changed(member, change)
    put(result, lambda: pages().member_page(result))


def _changed(member: str, change: Mapping[str, Param]) -> Any:
    site, url = site_and_url(member)
    return result_of("member.set", {"site": site, "url": url, **change})
