"""Windows for the tests of what they do."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sorryd.model import PageSource, Site
from sorryd.window import Author, Window, WindowKind

ALICE = Author(uid=1000, name="alice", pid=42)


def planned(
    name: str,
    start: float,
    end: float | None,
    *,
    site: str | None = "shop",
    reason: str = "",
    drain: float | None = None,
    ended: float | None = None,
    cancelled: float | None = None,
    released: tuple[str, ...] = (),
    kind: WindowKind = WindowKind.PLANNED,
    **fields: Any,
) -> Window:
    return Window(
        id=name,
        site=site,
        kind=kind,
        start=start,
        end=end,
        reason=reason,
        timezone="UTC",
        author=ALICE,
        created=0.0,
        drain=drain,
        ended=ended,
        cancelled=cancelled,
        released=released,
        **fields,
    )


def site(name: str, **fields: Any) -> Site:
    given = Site(
        name=name,
        listen=(),
        members=(),
        timezone="UTC",
        sorry_pages=(PageSource(source=""),),
    )
    return replace(given, **fields)
