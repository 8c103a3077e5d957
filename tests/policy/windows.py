"""Windows for the tests of what they do."""

from __future__ import annotations

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
) -> Window:
    return Window(
        id=name,
        site=site,
        kind=WindowKind.PLANNED,
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
    )
