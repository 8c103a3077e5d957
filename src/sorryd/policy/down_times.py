"""Windows that overlap or touch are one *down-time*: where it begins, and how far it goes. Pure.

It drains once, when it begins, and it is over when the last of them is. Windows that are over
still tell where the one began that a later one goes on with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sorryd.model import Value
from sorryd.policy.acting import closing, holding, recovery
from sorryd.window import Window


class Beginning(Value, frozen=True, kw_only=True):
    """The instant `start` at which a down-time began, and the duration of its `drain`.

    `drained` is the instant at which it drains no more: also where its windows came to their end
    before that, and only wait for healthy members since.
    """

    start: float
    drain: float
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
    past = [window for window in windows if window.cancelled is None]
    for over, window in sorted(((_over(one, site), one) for one in past), key=_first, reverse=True):
        if over < start:
            break
        if window.start < start and _leads_to(window, over, start):
            start, own = window.start, window.drain
    spans = [_span(window, site) for window in past]
    end = _union(start, spans if file is None else [*spans, (file, math.inf)])
    grace = drain if own is None else own
    return Beginning(start=start, drain=grace, drained=min(start + grace, end))


def _first(pair: tuple[float, object]) -> float:
    return pair[0]


def _span(window: Window, site: str) -> tuple[float, float]:
    """The time of `window`, as far as it was one for `site`."""
    cut = [recovery(window, site), window.ended]
    return window.start, min([closing(window), *(at for at in cut if at is not None)])


def _union(start: float, spans: Iterable[tuple[float, float]]) -> float:
    """How far `spans` go from `start` on without a gap."""
    end = start
    for begins, ends in sorted(spans):
        if begins > end:
            break
        end = max(end, ends)
    return end


def _over(window: Window, site: str) -> float:
    """The instant at which `window` held `site` no more, verified or not."""
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
