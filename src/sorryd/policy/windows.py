"""Windows and a clock give the standing of a site. Pure: no clock, no I/O.

A window is a level, not an edge: whether it acts is asked of the instant, never remembered.

- A *planned* window acts in ``[start, end)``. A *manual* one acts from the moment it is known,
  whatever the clock says: an operator's ``down`` must outlive a clock that steps back.
- What is final (`Window.is_final`) never acts, nor does a window that released the site.
- Windows that overlap or touch are one *down-time*. It drains once, when it begins, and it is
  over when the last of them is.
- An ended window still tells when the down-time began that a later one goes on with: it is
  part of the past, not of the present. `is_continued` says how long it must be kept for that.

All functions take windows in the order of `arrange`, so that they stop at the first window
too late to matter: their cost grows with the windows that are open, not with those to come.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice

from sorryd.model import Cause, Phase, Value
from sorryd.window import Saying, Window, WindowKind


class Standing(Value, frozen=True, kw_only=True):
    """Where a site stands, by its windows alone, from `holds_from` until before `holds_until`.

    `partial` are the windows that act on a part of it (`Scope`), whatever the phase.

    `since` and `until` are the instants when the down-time began and when it will be over; None
    is not down, and open-ended. `drain` is the duration that requests in flight have from its
    beginning. `window` is the id of the one that governs: manual before
    planned, then the one that opened first. `reason` and `until_text` are the first ones said
    in that order. `next` is the next planned window to start.
    """

    phase: Phase
    cause: Cause | None = None
    reason: str | None = None
    since: float | None = None
    drain: float = 0.0
    until: float | None = None
    until_text: str | None = None
    window: str | None = None
    next: Window | None = None
    reasons: tuple[Saying, ...] = ()  # of the reason, in other languages
    partial: tuple[Window, ...] = ()
    holds_from: float = -math.inf
    holds_until: float = math.inf


def opening(window: Window) -> float:
    """The instant from which `window` matters: always, for one that is manual or past."""
    always = window.kind is WindowKind.MANUAL or window.is_final
    return -math.inf if always else window.start


def closing(window: Window) -> float:
    """The instant before which `window` may act; infinite where it is open-ended."""
    return math.inf if window.end is None else window.end


def arrange(windows: Iterable[Window]) -> tuple[Window, ...]:
    """`windows` in the order that all functions here take: as they open."""
    return tuple(sorted(windows, key=lambda window: (opening(window), window.start, window.id)))


def concerns(window: Window, site: str) -> bool:
    """Whether `window` is one of `site`, and the site was not taken out of it."""
    return window.site in (None, site) and site not in window.released


def acts(window: Window, now: float) -> bool:
    """Whether `window` holds its sites down at the instant `now`."""
    return not window.is_final and opening(window) <= now < closing(window)


def passed(windows: Sequence[Window], now: float) -> tuple[str, ...]:
    """Ids of the windows whose end has come, and is still to be made final."""
    return tuple(
        window.id
        for window in islice(windows, _opened(windows, now))
        if not window.is_final and closing(window) <= now
    )


def final(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Those that can never act again."""
    always = islice(windows, _opened(windows, -math.inf))
    return tuple(window for window in always if window.is_final)


def is_continued(window: Window, since: float | None) -> bool:
    """Whether `window`, ended, belongs to the down-time of its site that began at `since`."""
    return window.ended is not None and since is not None and since <= window.start


def standing(
    windows: Sequence[Window], site: str, drain: float, announce: float, now: float
) -> Standing:
    """Where `site` stands at the instant `now`.

    `windows` are arranged, those of other sites may be among them. `drain` and `announce` are
    the site's own durations.
    """
    opened = _opened(windows, now)
    mine = [window for window in windows[:opened] if concerns(window, site)]
    to_come = (
        window
        for window in islice(windows, opened, None)
        if not window.is_final and window.start < closing(window) and concerns(window, site)
    )
    acting = sorted((window for window in mine if acts(window, now)), key=_precedence)
    if acting:
        return _down(mine, acting, to_come, drain, now)
    return _live(mine, next(to_come, None), announce, now)


def _opened(windows: Sequence[Window], now: float) -> int:
    """How many of the arranged `windows` matter at `now`; they are the first ones."""
    return bisect_right(windows, now, key=opening)


def _precedence(window: Window) -> tuple[bool, float, str]:
    """Manual before planned, then the one that opened first."""
    return window.kind is not WindowKind.MANUAL, window.start, window.id


def _live(
    mine: Iterable[Window], following: Window | None, announce: float, now: float
) -> Standing:
    """The standing of a site on which no window acts."""
    edges = _edges(mine)
    phase = Phase.LIVE
    if following is not None:
        edges += (following.start - announce, following.start)
        if following.start - announce <= now:
            phase = Phase.ANNOUNCED
    after, before = _around(edges, now)
    return Standing(phase=phase, next=following, holds_from=after, holds_until=before)


def _down(
    mine: Sequence[Window],
    acting: Sequence[Window],
    to_come: Iterable[Window],
    drain: float,
    now: float,
) -> Standing:
    """The standing of a site on which `acting` act, the one with precedence first."""
    first = _beginning(mine, acting)
    drained = first.start + (drain if first.drain is None else first.drain)
    following, until = _ahead(max(map(closing, acting)), to_come)
    edges = (*_edges(mine), first.start, drained)
    after, before = _around(edges if following is None else (*edges, following.start), now)
    return Standing(
        phase=Phase.DRAINING if first.start <= now < drained else Phase.DOWN,
        cause=Cause.MANUAL if acting[0].kind is WindowKind.MANUAL else Cause.WINDOW,
        reason=next((window.reason for window in acting if window.reason), None),
        since=first.start,
        drain=drained - first.start,
        until=None if until == math.inf else until,
        until_text=next((window.until_text for window in acting if window.until_text), None),
        window=acting[0].id,
        next=following,
        holds_from=after,
        holds_until=before,
    )


def _beginning(mine: Iterable[Window], acting: Iterable[Window]) -> Window:
    """The window with which the down-time of `acting` began; it may be over since long."""
    first = min(acting, key=lambda window: window.start)
    by_end = sorted((window for window in mine if window.cancelled is None), key=_over)
    for window in reversed(by_end):
        if _over(window) < first.start:
            break
        if window.start < first.start and _leads_to(window, first.start):
            first = window
    return first


def _over(window: Window) -> float:
    """The instant at which `window` was over, or will be."""
    return closing(window) if window.ended is None else window.ended


def _leads_to(window: Window, start: float) -> bool:
    """Whether no time is between `window` and one that starts at `start`.

    A window that was ended by hand does not touch the next one: the site was up for a moment.
    """
    return _over(window) > start or _over(window) == closing(window) == start


def _ahead(end: float, to_come: Iterable[Window]) -> tuple[Window | None, float]:
    """The next window to start, and the end of the down-time that has come as far as `end`."""
    following = None
    for window in to_come:
        following = following or window
        if window.start > end:
            break
        end = max(end, closing(window))
    return following, end


def _edges(mine: Iterable[Window]) -> tuple[float, ...]:
    """The instants at which one of `mine` begins or ceases to act."""
    return tuple(
        edge
        for window in mine
        if not window.is_final and opening(window) < closing(window)
        for edge in (opening(window), closing(window))
    )


def _around(edges: Iterable[float], now: float) -> tuple[float, float]:
    """The last of `edges` at or before `now`, and the first after it."""
    after, before = -math.inf, math.inf
    for edge in edges:
        if edge <= now:
            after = max(after, edge)
        else:
            before = min(before, edge)
    return after, before
