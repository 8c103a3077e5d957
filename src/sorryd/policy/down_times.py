"""Windows that overlap or touch are one *down-time*: where it begins, and how far it goes. Pure.

It drains once, when it begins, and it is over when the last of them is. Windows that are over
still tell where the one began that a later one goes on with.
"""

from __future__ import annotations

from collections.abc import Iterable

from sorryd.model import Value
from sorryd.policy.acting import closing, holding, recovery
from sorryd.window import Window


class Beginning(Value, frozen=True, kw_only=True):
    """The instant `start` at which a down-time began; `drained` is that at which drain ends."""

    start: float
    drained: float


def beginning(
    windows: Iterable[Window],
    acting: Iterable[Window],
    site: str,
    drain: float,
    file: float | None = None,
) -> Beginning:
    """Where the down-time of `acting` began, or that of a sorry file there since `file`.

    `windows` are those that have opened, `acting` among them; `drain` is the site's. One or
    the other, `acting` or `file`, there must be.
    """
    starts = [(window.start, window.drain) for window in acting]
    start, own = min(starts if file is None else [*starts, (file, None)], key=lambda one: one[0])
    past = [(_over(window, site), window) for window in windows if window.cancelled is None]
    for over, window in sorted(past, key=lambda one: one[0], reverse=True):
        if over < start:
            break
        if window.start < start and _leads_to(window, over, start):
            start, own = window.start, window.drain
    return Beginning(start=start, drained=start + (drain if own is None else own))


def _over(window: Window, site: str) -> float:
    """The instant at which `window` was over for `site`, or will be."""
    at = recovery(window, site)
    if at is not None:
        return at
    return holding(window) if window.ended is None else window.ended


def _leads_to(window: Window, over: float, start: float) -> bool:
    """Whether no time is between `window` and one that starts at `start`.

    A window that was ended by hand does not touch the next one: the site was up for a moment.
    """
    return over > start or over == holding(window) == start


def ahead(end: float, to_come: Iterable[Window]) -> float:
    """The end of the down-time that has come as far as `end`, with what goes on with it."""
    for window in to_come:
        if window.start > end:
            break
        end = max(end, closing(window))
    return end
