"""Windows, a clock and a sorry file give the standing of a site. Pure: no clock, no I/O.

A window is a level, not an edge: whether it acts is asked of the instant, never remembered
(acting.py). Windows whose scope is the whole site decide its phase; those of paths or methods
stand beside it, and those of members withdraw these. A sorry file holds its site down for as
long as it is there, whatever the clock says.

All functions take windows in the order of `arrange`, so that they stop at the first window
too late to matter: their cost grows with the windows that are open, not with those to come.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from msgspec.structs import replace

from sorryd.model import Cause, MemberState, Phase, Site, Value
from sorryd.policy.acting import (
    Stage,
    acts,
    closing,
    concerns,
    holding,
    is_past,
    opening,
    patience,
    stage,
)
from sorryd.policy.down_times import ahead, beginning
from sorryd.policy.scopes import as_for
from sorryd.window import GiveUp, Saying, Window, WindowKind


class Withdrawal(Value, frozen=True, kw_only=True):
    """A member that windows take out: the state that it gets, and the instant since when."""

    url: str
    state: MemberState
    since: float


class Standing(Value, frozen=True, kw_only=True):
    """Where a site stands, from `holds_from` until before `holds_until`.

    It is so by its windows and its sorry file; members that are all dead are no phase.

    `since` and `until` are the instants when the down-time began and when it will be over; None
    is not down, and open-ended or not known. `drain` is the duration that requests in flight
    have from its beginning. `window` is the id of the one that governs: manual before
    planned before verifying, then the one that opened first. `reason`, with its `reasons`, and
    `until_text` are the first ones said in that order. `next` is the next planned window to
    start, whatever its scope.

    `partial` are the windows that act on paths or methods, each with the scope that it has at
    this site; `withdrawn` are the members that windows take out.
    """

    phase: Phase
    cause: Cause | None = None
    reason: str | None = None
    reasons: tuple[Saying, ...] = ()  # of the reason, in other languages
    since: float | None = None
    drain: float = 0.0
    until: float | None = None
    until_text: str | None = None
    window: str | None = None
    next: Window | None = None
    partial: tuple[Window, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    holds_from: float = -math.inf
    holds_until: float = math.inf


def arrange(windows: Iterable[Window]) -> tuple[Window, ...]:
    """`windows` in the order that all functions here take: as they open."""
    return tuple(sorted(windows, key=place_of))


Place = tuple[float, float, str]  # of a window among others; no two have the same


def place_of(window: Window) -> Place:
    """What windows are arranged by."""
    return opening(window), window.start, window.id


def passed(windows: Sequence[Window], now: float) -> tuple[str, ...]:
    """Ids of the windows that `settled` changes: an end has come, or patience is at its end."""
    return tuple(
        window.id
        for window in islice(windows, _opened(windows, now))
        if settled(window, now) is not window
    )


def settled(window: Window, now: float) -> Window:
    """`window` with what is final of it at the instant `now`, by the clock alone."""
    if window.is_final or window.gave_up is not None or now < patience(window):
        return window
    if window.until_healthy is None:
        return replace(window, ended=window.end)
    is_over = window.give_up is GiveUp.OPEN
    return replace(window, gave_up=patience(window), ended=patience(window) if is_over else None)


def verifying(windows: Sequence[Window], now: float) -> tuple[Window, ...]:
    """Those that wait for healthy members."""
    return tuple(
        window
        for window in islice(windows, _opened(windows, now))
        if window.until_healthy is not None and stage(window, now) is Stage.VERIFYING
    )


def final(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Those that can never act again."""
    always = islice(windows, _opened(windows, -math.inf))
    return tuple(window for window in always if window.is_final)


def is_continued(window: Window, held: Standing) -> bool:
    """Whether `window`, ended, belongs to a down-time of the site, or of a member, that `held`."""
    since = (held.since, *(one.since for one in held.withdrawn))
    return window.ended is not None and any(at is not None and at <= window.start for at in since)


def standing(
    windows: Sequence[Window], site: Site, now: float, file: float | None = None
) -> Standing:
    """Where `site` stands at the instant `now`.

    `windows` are arranged, those of other sites may be among them. `file` is the instant since
    when its sorry file is there; None: it is not.
    """
    opened = _opened(windows, now)
    mine = [as_for(one, site) for one in islice(windows, opened) if is_past(one, site.name)]
    acting = [one for one in mine if concerns(one, site.name) and acts(one, now)]
    to_come = (
        as_for(one, site)
        for one in islice(windows, opened, None)
        if not one.is_final and one.start < closing(one) and concerns(one, site.name)
    )
    whole = sorted(
        (one for one in acting if one.scope.is_whole), key=lambda one: _precedence(one, now)
    )
    if whole or file is not None:
        held, edges = _down(mine, whole, to_come, site, now, file)
    else:
        held, edges = _live(next(to_come, None), site.announce, now)
    withdrawn, drained = _withdrawn(mine, acting, site, now)
    after, before = _around(chain(edges, drained, _edges(mine)), now)
    return replace(
        held,
        partial=tuple(one for one in acting if one.scope.paths or one.scope.methods),
        withdrawn=withdrawn,
        holds_from=after,
        holds_until=before,
    )


def standing_of(window: Window, now: float) -> Standing:
    """What those are told at the instant `now` whom `window` holds up, on a part of its site."""
    at = stage(window, now)
    return Standing(
        phase=Phase.VERIFYING if at is Stage.VERIFYING else Phase.DOWN,
        cause=Cause.MANUAL if window.kind is WindowKind.MANUAL else Cause.WINDOW,
        reason=window.reason or None,
        reasons=window.reasons,
        since=window.start,
        until=None if at is Stage.STUCK or closing(window) <= now else window.end,
        until_text=window.until_text,
        window=window.id,
    )


def _opened(windows: Sequence[Window], now: float) -> int:
    """How many of the arranged `windows` matter at `now`; they are the first ones."""
    return bisect_right(windows, now, key=opening)


def _precedence(window: Window, now: float) -> tuple[bool, bool, float, str]:
    """Manual, then planned, then verifying; of these the one that opened first."""
    is_verifying = stage(window, now) is Stage.VERIFYING
    return window.kind is not WindowKind.MANUAL, is_verifying, window.start, window.id


Found = tuple[Standing, tuple[float, ...]]  # and the instants at which it will be another one


def _live(following: Window | None, announce: float, now: float) -> Found:
    """The standing of a site that nothing holds down."""
    if following is None:
        return Standing(phase=Phase.LIVE), ()
    announced = following.start - announce
    phase = Phase.ANNOUNCED if announced <= now else Phase.LIVE
    return Standing(phase=phase, next=following), (announced, following.start)


def _down(
    mine: Sequence[Window],
    acting: Sequence[Window],
    to_come: Iterator[Window],
    site: Site,
    now: float,
    file: float | None,
) -> Found:
    """The standing of a site that `acting`, the one with precedence first, or a file hold down."""
    whole = [one for one in mine if one.scope.is_whole]
    began = beginning(whole, acting, site.name, site.drain, file)
    following = next(to_come, None)
    more = () if following is None else chain([following], to_come)
    until = _until(acting, more, now, file)
    said = next((one for one in acting if one.reason or one.reasons), None)
    edges = (began.start, began.drained, *(() if following is None else (following.start,)))
    return Standing(
        phase=_phase(acting, now, file, began.start <= now < began.drained),
        cause=_cause(acting, file),
        reason=None if said is None else said.reason or None,
        reasons=() if said is None else said.reasons,
        since=began.start,
        drain=began.drain,
        until=until,
        until_text=next((one.until_text for one in acting if one.until_text), None),
        window=acting[0].id if acting else None,
        next=following,
    ), edges


def _phase(acting: Sequence[Window], now: float, file: float | None, is_early: bool) -> Phase:
    if file is None and all(stage(one, now) is Stage.VERIFYING for one in acting):
        return Phase.VERIFYING
    return Phase.DRAINING if is_early else Phase.DOWN


def _cause(acting: Sequence[Window], file: float | None) -> Cause:
    if file is not None:
        return Cause.FILE
    return Cause.MANUAL if acting[0].kind is WindowKind.MANUAL else Cause.WINDOW


def _until(
    acting: Sequence[Window], to_come: Iterable[Window], now: float, file: float | None
) -> float | None:
    """The end that is promised: None where one is open, or members are to be verified first."""
    stages = ((one, stage(one, now)) for one in acting)
    known = [
        closing(one) if at is Stage.OPEN else math.inf
        for one, at in stages
        if at is not Stage.VERIFYING
    ]
    if file is not None or not known:
        return None
    until = ahead(max(known), (one for one in to_come if one.scope.is_whole))
    return None if until == math.inf else until


def _withdrawn(
    mine: Sequence[Window], acting: Sequence[Window], site: Site, now: float
) -> tuple[tuple[Withdrawal, ...], list[float]]:
    """The members that `acting` take out, and the instants between drain and maintenance."""
    found, edges = [], []
    for url in dict.fromkeys(url for one in acting for url in one.scope.members):
        own, its = _of_member(mine, url), _of_member(acting, url)
        began = beginning(own, its, site.name, site.drain)
        # Members are not checked in maintenance: they are verified in drain.
        spares = all(stage(one, now) is Stage.VERIFYING for one in its)
        is_early = began.start <= now < began.drained
        state = MemberState.DRAIN if spares or is_early else MemberState.MAINT
        found.append(Withdrawal(url=url, state=state, since=began.start))
        edges += [began.start, began.drained]
    return tuple(found), edges


def _of_member(windows: Iterable[Window], url: str) -> list[Window]:
    return [one for one in windows if url in one.scope.members]


def _edges(mine: Iterable[Window]) -> Iterator[float]:
    """The instants at which one of `mine` begins to act, acts in another way, or ceases to."""
    for window in mine:
        if not window.is_final and window.gave_up is None and opening(window) < closing(window):
            yield from (opening(window), closing(window), patience(window), holding(window))


def _around(edges: Iterable[float], now: float) -> tuple[float, float]:
    """The last of `edges` at or before `now`, and the first after it."""
    after, before = -math.inf, math.inf
    for edge in edges:
        if edge <= now:
            after = max(after, edge)
        else:
            before = min(before, edge)
    return after, before
