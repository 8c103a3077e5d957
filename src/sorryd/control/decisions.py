"""What a command changes, decided from what is so. Pure: nothing is done here.

Each function takes what is known, a request, its author and the instant, and gives a Decision,
or raises ControlError. A request that changes nothing is no fault: its Decision has no changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from sorryd.control import by_hand, overlaps, recurring
from sorryd.control.missing import no_site, no_window
from sorryd.control.spans import later_end, planned_span, spoken_end, wanted_drain, zone_named
from sorryd.control.terms import wanted_patience, wanted_reasons, wanted_scope
from sorryd.errors import conflict
from sorryd.journal import Change, HistoryEntry, MemberPut, WindowPut
from sorryd.messages import SiteDown, SiteUp, WindowCancel, WindowEnd, WindowExtend, WindowSchedule
from sorryd.model import Config, Value
from sorryd.policy.acting import acts, concerns, holding
from sorryd.policy.instances import Series
from sorryd.window import Author, Window, WindowKind


class Known(Value, frozen=True, kw_only=True):
    """What a decision may know. `windows` are arranged; final ones among them do not count.

    Instances of `series` are among them, and a series only where it is the one that is meant;
    `taken` are the ids of the instances that the journal has of that, which may be a series no
    more. `files` names the sites whose sorry file is there.
    """

    config: Config
    windows: tuple[Window, ...]
    now: float
    series: tuple[Series, ...] = ()
    taken: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()


class Decision(Value, frozen=True, kw_only=True):
    """What to write and then to do. `window` is the one that the answer shows."""

    changes: tuple[Change, ...] = ()
    before: tuple[Change, ...] = ()
    window: Window | None = None
    warnings: tuple[str, ...] = ()

    def entry(self, deed: HistoryEntry) -> HistoryEntry:
        """The history's line on this decision: `deed`, with what it changed."""
        windows = [change.window.id for change in self.changes if isinstance(change, WindowPut)]
        members = [change.url for change in self.changes if isinstance(change, MemberPut)]
        return replace(
            deed,
            window=windows[0] if len(windows) == 1 else deed.window,
            member=members[0] if members else None,
            before=self.before,
            after=self.changes,
        )


def check_site(known: Known, site: str | None) -> None:
    """Raise ControlError where there is no such site."""
    if site is not None and all(one.name != site for one in known.config.sites):
        raise no_site(site, known.config)


def down(known: Known, request: SiteDown, author: Author, name: str) -> Decision:
    """Take down a site, or all, from now on. `name` is the id of a new window.

    Where the very same scope is down by hand already, that window takes the new end, and the
    new reason and drain where one is said.
    """
    check_site(known, request.site)
    zone = zone_named(known.config, request.site)
    end, text, warnings = spoken_end(request, known.now, zone)
    drain = wanted_drain(request.drain)
    holding = [
        window
        for window in _alive(known)
        if window.kind is WindowKind.MANUAL and window.site == request.site
    ]
    new = Window(
        id=name,
        site=request.site,
        kind=WindowKind.MANUAL,
        start=known.now,
        end=end,
        reason=request.reason,
        timezone=zone.key,
        author=author,
        created=known.now,
        drain=drain,
        until_text=text,
        reasons=wanted_reasons(request.reasons),
    )
    changed = [by_hand.said_again(window, new) for window in holding]
    if any(by_hand.covers(window, known.config.sites) for window in holding):
        return _changing(holding, changed, warnings)
    # None holds, or some site was taken out of those that do: that is final.
    return _changing(holding, [*changed, new], warnings)


def up(known: Known, request: SiteUp) -> Decision:
    """Bring a site, or all, back: end what acts on it.

    A window for every site goes on for the others; the last one to leave it ends it. One that
    takes out members holds no site down, and goes on.
    """
    check_site(known, request.site)
    _refuse_under_file(known, request.site)
    acting = [
        window
        for window in _alive(known)
        if acts(window, known.now) and (request.site is None or concerns(window, request.site))
        if not window.scope.members
    ]
    return _changing(
        acting,
        [by_hand.without(window, request.site, known.config.sites, known.now) for window in acting],
    )


def schedule(known: Known, request: WindowSchedule, author: Author, name: str) -> Decision:
    """Plan the window `name`, or change it where there is one of that id."""
    check_site(known, request.site)
    old = _named(known, name)
    if old is not None and (_is_over(old, known) or old.kind is WindowKind.MANUAL):
        what = "is over" if _is_over(old, known) else "is a down by hand"
        raise conflict(f"{name} {what}: choose another id", "id")
    span = planned_span(known.config, request, known.now)
    until_healthy, give_up = wanted_patience(request)
    window = Window(
        id=name,
        site=request.site,
        kind=WindowKind.PLANNED,
        start=span.start,
        end=span.end,
        reason=request.reason,
        timezone=span.timezone,
        author=author,
        created=known.now if old is None else old.created,
        drain=wanted_drain(request.drain),
        released=() if old is None else old.released,
        every=span.every,
        renewed=None if old is None or span.every is None else known.now,
        recovered=() if old is None else old.recovered,
        reasons=wanted_reasons(request.reasons),
        until_healthy=until_healthy,
        give_up=give_up,
        scope=wanted_scope(known.config, request.site, request.scope),
        sequence=0 if old is None else old.sequence,
    )
    if old is not None and recurring.is_same(window, old):
        window = old
    begun = ("it has begun already",) if window.start < known.now and window != old else ()
    moved = () if old is None or old.site == window.site else (f"it was of {_whose(old)}",)
    warnings = (*span.warnings, *begun, *moved, *_remarks(known, window))
    return _replacing(known, old, window, warnings)


def extend(known: Known, request: WindowExtend) -> Decision:
    """Move the end of a window, later or earlier, but not into the past.

    Of a series: of the instance that is open.
    """
    window = _alive_instance(known, request.id)
    span = later_end(known.config, window, request, known.now)
    moved = replace(window, end=span.end, until_text=None, gave_up=None)
    return _changing([window], [moved], (*span.warnings, *_remarks(known, moved)))


def end(known: Known, request: WindowEnd) -> Decision:
    """End an open window now; of a series the instance that is open."""
    window = _alive_instance(known, request.id)
    if not acts(window, known.now):
        raise conflict(f"{window.id} is not open yet: cancel it instead", "id")
    return _changing([window], [replace(window, ended=known.now)])


def cancel(known: Known, request: WindowCancel) -> Decision:
    """Take back a window that is not open yet, or a series; what is open of that goes on."""
    window = _alive_named(known, request.id)
    if window.every is not None:
        return _replacing(known, window, replace(window, cancelled=known.now))
    if acts(window, known.now):
        raise conflict(f"{window.id} is open: end it instead", "id")
    return _changing([window], [replace(window, cancelled=known.now)])


def _changing(
    before: Sequence[Window], after: Sequence[Window], warnings: tuple[str, ...] = ()
) -> Decision:
    """The decision to put those of `after` that are not as they were."""
    return Decision(
        changes=tuple(WindowPut(window=window) for window in after if window not in before),
        before=tuple(WindowPut(window=window) for window in before if window not in after),
        window=after[-1] if after else None,
        warnings=warnings,
    )


def _replacing(
    known: Known, old: Window | None, new: Window, warnings: tuple[str, ...] = ()
) -> Decision:
    """The decision to put `new` in the place of `old`, with what follows for instances."""
    decision = _changing([] if old is None else [old], [new], warnings)
    if old is None or new == old:
        return decision
    more = tuple(recurring.left_over(old, new, _alive(known), known.series, known.taken, known.now))
    return replace(
        decision,
        changes=(*(WindowPut(window=one) for one in more), *decision.changes),
        warnings=(*decision.warnings, *recurring.going_on(more, known.now)),
    )


def _alive(known: Known) -> Iterator[Window]:
    """The windows that are not over; a series is none, its instances are."""
    return (
        window for window in known.windows if window.every is None and not _is_over(window, known)
    )


def _is_over(window: Window, known: Known) -> bool:
    return window.is_final or (window.every is None and holding(window) <= known.now)


def _named(known: Known, name: str) -> Window | None:
    return next((window for window in known.windows if window.id == name), None)


def _alive_named(known: Known, name: str) -> Window:
    window = _named(known, name)
    if window is None:
        raise no_window(name, known.windows, known.config)
    if _is_over(window, known):
        what = "was cancelled" if window.cancelled is not None else "is over"
        raise conflict(f"{name} {what}", "id")
    return window


def _alive_instance(known: Known, name: str) -> Window:
    """The window of that id; of a series the instance that is open."""
    window = _alive_named(known, name)
    if window.every is None:
        return window
    return recurring.open_instance(window, _alive(known), known.now)


def _refuse_under_file(known: Known, site: str | None) -> None:
    """Raise ControlError where a sorry file holds the site down, or one of all."""
    for one in known.config.sites:
        if one.name in known.files and site in (None, one.name):
            raise conflict(f"{one.name} is down by its sorry file: remove {one.sorry_file}", "site")


def _remarks(known: Known, window: Window) -> Iterator[str]:
    """What the operator should know about `window` beside those that there are."""
    zone = zone_named(known.config, window.site, window.timezone)
    for site in window.released:
        yield f"{site} stays out of it: it was brought up"
    yield from overlaps.remarks(window, _alive(known), known.series, known.now, zone)


def _whose(window: Window) -> str:
    return "every site" if window.site is None else f"the site {window.site}"
