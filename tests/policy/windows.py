"""Windows for the tests of what they do."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from sorryd.model import PageSource, Site
from sorryd.window import Author, GiveUp, Scope, Window, WindowKind

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


TIMES = st.integers(0, 40).map(float)
SCOPES = st.sampled_from(
    [*[Scope()] * 4, Scope(paths=("/a",)), Scope(methods=("unsafe",)), Scope(members=("http://a",))]
)


@st.composite
def any_window(draw: st.DrawFn) -> Window:
    """A window of any kind; what ended did so between its start and its end."""
    start = draw(TIMES)
    end = draw(st.none() | st.integers(int(start), 45).map(float))
    over = draw(st.none() | st.integers(int(start), 45).map(float))
    kind = draw(st.sampled_from(WindowKind))
    is_waiting = kind is WindowKind.PLANNED and end is not None
    return planned(
        f"w{draw(st.integers(0, 999))}",
        start,
        end,
        site=draw(st.sampled_from(["shop", "blog", None])),
        kind=kind,
        reason=draw(st.sampled_from(["", "database", "disks"])),
        drain=draw(st.none() | st.integers(0, 9).map(float)),
        ended=over if over is None or end is None else min(over, end),
        cancelled=draw(st.sampled_from([None, None, None, 0.0])),
        released=draw(st.sampled_from([(), (), ("shop",)])),
        until_healthy=draw(st.sampled_from([None, 4.0, 20.0])) if is_waiting else None,
        give_up=draw(st.sampled_from(GiveUp)),
        scope=draw(SCOPES) if kind is WindowKind.PLANNED else Scope(),
    )
