"""What a ``down`` and an ``up`` make of the windows that there are. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from sorryd.model import Site
from sorryd.window import Window


def said_again(window: Window, new: Window) -> Window:
    """A `window` by hand with what the `new` one says: its end, and the rest where it is said."""
    return replace(
        window,
        end=new.end,
        until_text=new.until_text,
        reason=new.reason or window.reason,
        reasons=new.reasons or window.reasons,
        drain=window.drain if new.drain is None else new.drain,
    )


def covers(window: Window, sites: Sequence[Site]) -> bool:
    """Whether none of `sites`, which are all, was taken out of `window`."""
    return not any(site.name in window.released for site in sites)


def without(window: Window, site: str | None, sites: Sequence[Site], now: float) -> Window:
    """`window` without `site`, None: all; ended at `now`, where none of `sites` is left in it."""
    if site is None or window.site is not None:
        return replace(window, ended=now)
    released = (*window.released, site)
    if all(one.name in released for one in sites):
        return replace(window, ended=now)
    return replace(window, released=released)
