"""Commands on members: look at them, take them out, weigh them."""

from __future__ import annotations

from collections.abc import Mapping

import click

from sorryd.ctl.client import Param
from sorryd.ctl.commands import command, member_argument, pages, site_argument
from sorryd.ctl.options import put, result_of
from sorryd.ctl.parameters import site_and_url


@command("members")
@site_argument
def members(site: str | None) -> None:
    """Members with weight, state, health and requests in flight."""
    result = result_of("status", {"site": site})
    put(result, lambda: pages().members_page(result))


@command("ready")
@member_argument
def ready(member: str) -> None:
    """Let a member take requests."""
    _set_member(member, {"state": "ready"})


@command("drain")
@member_argument
def drain(member: str) -> None:
    """Give a member no new visitors; those it has may finish."""
    _set_member(member, {"state": "drain"})


@command("maint")
@member_argument
def maint(member: str) -> None:
    """Give a member nothing at all."""
    _set_member(member, {"state": "maint"})


@command("weight")
@member_argument
@click.argument("number", metavar="N", type=click.IntRange(0, 256))
def weight(member: str, number: int) -> None:
    """Set a member's share of the requests, 0 to 256."""
    _set_member(member, {"weight": number})


def _set_member(member: str, change: Mapping[str, Param]) -> None:
    site, url = site_and_url(member)
    result = result_of("member.set", {"site": site, "url": url, **change})
    put(result, lambda: pages().member_page(result))
