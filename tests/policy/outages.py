"""Two outages, and readers of what is said of them, for the tests of the apology."""

from __future__ import annotations

from collections.abc import Mapping

from sorryd.model import Cause
from sorryd.policy.apology import Facts, compile_page, render

TWO = 1795280400.0  # 2026-11-22 02:00 in Tokyo
FIVE = TWO + 3 * 3600
PLANNED = Facts(
    site="shop",
    cause=Cause.WINDOW,
    timezone="Asia/Tokyo",
    reason="Database upgrade",
    since=TWO,
    until=FIVE,
)
DEAD = Facts(site="shop", cause=Cause.MEMBERS, timezone="Asia/Tokyo", retry_after=12.5)


def told(source: str, facts: Facts) -> str:
    return render(compile_page(source), facts).body.decode()


def parsed(response: bytes) -> tuple[str, Mapping[str, str], bytes]:
    head, _, body = response.partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    fields = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    assert len(fields) == len(lines)
    return status, fields, body
