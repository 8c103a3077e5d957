"""The one place on the control side where state changes: windows, members, their health.

The truth hears of what happens by `look` (time has passed), `report` (the edge has seen
something) and `apply` (a command has been committed). From what it then holds it builds an
immutable `Snapshot` and publishes it. It knows nothing of the edge, the alarm or the control
socket; what it calls is given to it.

An end that has come is final at once, here and in the snapshot; the journal follows, and is
asked again at each look until it has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, assert_never

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sorryd.control.chronicle import Chronicle, tell_strays
from sorryd.control.roster import Roster
from sorryd.journal import Change, HistoryEntry, Loaded, MemberPut, WindowPut
from sorryd.model import (
    Config,
    Site,
    Window,
)
from sorryd.policy.windows import (
    Standing,
    arrange,
    concerns,
    final,
    is_continued,
    passed,
    standing,
)
from sorryd.reports import (
    CheckFailed,
    CheckPassed,
    EdgePassed,
    MemberAnswered,
    MemberFailed,
    Report,
)
from sorryd.snapshot import (
    SiteView,
    Snapshot,
)


@dataclass(frozen=True)
class Clocks:
    """Where `wall` (instants) and `monotonic` (moments) time come from."""

    wall: Callable[[], float]
    monotonic: Callable[[], float]


class Commits(Protocol):
    """What the truth needs of a journal."""

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        """Write it all or nothing; fires when it is on disk."""


class Truth:
    """What is so. `publish` gets each new snapshot, `wake` the instant to look again at."""

    def __init__(
        self,
        config: Config,
        loaded: Loaded,
        journal: Commits,
        clocks: Clocks,
        publish: Callable[[Snapshot], None],
        wake: Callable[[float], None],
    ) -> None:
        self._config = config
        self._journal = journal
        self._clocks = clocks
        self._publish = publish
        self._wake = wake
        self._chronicle = Chronicle()
        tell_strays(loaded.windows, (site.name for site in config.sites))
        self._windows = {window.id: window for window in loaded.windows}
        self._roster = Roster(config, loaded.members)
        self._by_site: dict[str, tuple[Window, ...]] = {}  # worked out from `_arranged`
        self._standings: dict[str, Standing] = {}  # worked out from that
        self._unsaved: dict[str, Window] = {}  # ended by themselves, not yet in the journal
        self._saving: set[str] = set()  # those of them that the journal is writing
        self._reserved: frozenset[str] = frozenset()
        self._changed = True  # since the last snapshot
        self._arrange()
        self._snapshot = Snapshot(serial=0, sites=tuple(map(self._view, config.sites)))

    # --- what is so ---------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def windows(self) -> tuple[Window, ...]:
        """Windows that are not final, and the past of those that are open, arranged."""
        return self._arranged

    @property
    def snapshot(self) -> Snapshot:
        """The one published last; before the first look, one that nobody has seen."""
        return self._snapshot

    def find(self, name: str) -> Window | None:
        """The window of that id, unless it is final and the journal has it."""
        return self._windows.get(name) or self._unsaved.get(name)

    def setting(self, site: str, url: str) -> MemberPut:
        """What the operator wants of a member."""
        return self._roster.setting(site, url)

    def standing(self, site: Site) -> Standing:
        """Where `site` stands now."""
        return self._standing(site, self._clocks.wall())

    def now(self) -> float:
        """The instant it is."""
        return self._clocks.wall()

    # --- what happens -------------------------------------------------------------------------

    def look(self) -> None:
        """Time has passed: make final what is over, end rests, and tell what follows of it."""
        now, moment = self._clocks.wall(), self._clocks.monotonic()
        self._chronicle.clocks(now, moment)
        self._end_passed(now)
        self._changed |= self._roster.rested(moment)
        self._settle(now, moment)

    def report(self, report: Report) -> None:
        """The edge has seen something."""
        match report:
            case MemberFailed():
                rest = self._roster.failed(report, self._clocks.monotonic())
                if rest is None:
                    return
                self._chronicle.failed(report, rest)
                self._changed = True
            case MemberAnswered():
                if not self._roster.answered(report):
                    return
                self._chronicle.answered(report)
                self._changed = True
            case EdgePassed() | CheckPassed() | CheckFailed():
                pass
            case _:
                assert_never(report)
        self.look()

    def apply(self, changes: Sequence[Change]) -> None:
        """The journal has `changes`: they are so from now on."""
        for change in changes:
            match change:
                case WindowPut(window=window):
                    self._windows[window.id] = window
                case MemberPut():
                    self._roster.set(change)
                case _:
                    assert_never(change)
        self._changed = True
        self._arrange()
        self.look()

    @contextmanager
    def reserved(self, names: frozenset[str]) -> Iterator[None]:
        """While the journal takes a change of these windows, their end is not observed.

        Otherwise a window that is being prolonged could end in the middle of that.
        """
        self._reserved = names
        try:
            yield
        finally:
            self._reserved = frozenset()

    # --- windows ------------------------------------------------------------------------------

    def _end_passed(self, now: float) -> None:
        ends = [name for name in passed(self._arranged, now) if name not in self._reserved]
        for name in ends:
            window = self._windows[name]
            over = msgspec.structs.replace(window, ended=window.end)
            self._windows[name] = self._unsaved[name] = over
            self._chronicle.over(over)
        if ends:
            self._changed = True
            self._arrange()
        for window in tuple(self._unsaved.values()):
            if window.id not in self._saving:
                self._save(window, now)

    def _save(self, window: Window, now: float) -> None:
        put = WindowPut(window=window)
        entry = HistoryEntry(
            at=now, verb="window.passed", site=window.site, window=window.id, after=(put,)
        )
        self._saving.add(window.id)

        def saved(_: None) -> None:
            self._saving.discard(window.id)
            self._unsaved.pop(window.id, None)
            self._chronicle.saved(window)

        def refused(why: Failure) -> None:
            self._saving.discard(window.id)
            self._chronicle.unsaved(window, why)

        self._journal.commit((put,), entry).addCallbacks(saved, refused)

    def _arrange(self) -> None:
        """The windows have changed: sort them anew, and forget what followed of the old ones."""
        self._arranged = arrange(self._windows.values())
        self._by_site.clear()
        self._standings.clear()

    def _windows_of(self, site: Site) -> tuple[Window, ...]:
        known = self._by_site.get(site.name)
        if known is None:
            known = tuple(window for window in self._arranged if concerns(window, site.name))
            self._by_site[site.name] = known
        return known

    def _forget_past(self, now: float) -> None:
        """Keep of final windows only what the down-time of a site began with."""
        for window in final(self._arranged):
            if not any(
                is_continued(window, self._standing(site, now).since)
                for site in self._config.sites
                if concerns(window, site.name)
            ):
                del self._windows[window.id]
                self._changed = True
        if len(self._windows) < len(self._arranged):
            self._arrange()

    def _standing(self, site: Site, now: float) -> Standing:
        known = self._standings.get(site.name)
        if known is None or not known.holds_from <= now < known.holds_until:
            windows = self._windows_of(site)
            known = standing(windows, site.name, site.drain, site.announce, now)
            self._standings[site.name] = known
        return known

    # --- what follows -------------------------------------------------------------------------

    def _settle(self, now: float, moment: float) -> None:
        self._forget_past(now)
        if self._changed:
            self._changed = False
            sites = tuple(map(self._view, self._config.sites))
            self._snapshot = Snapshot(serial=self._snapshot.serial + 1, sites=sites)
            self._publish(self._snapshot)
        for view in self._snapshot.sites:
            self._chronicle.standing(view, self._standing(view.site, now))
        self._wake(self._next_look(now, moment))

    def _view(self, site: Site) -> SiteView:
        return SiteView(
            site=site,
            members=self._roster.views(site),
            windows=self._windows_of(site),
        )

    def _next_look(self, now: float, moment: float) -> float:
        """The instant at which something will be otherwise, if nothing happens before."""
        edges = [self._standing(site, now).holds_until for site in self._config.sites]
        rests = [now + rest - moment for rest in self._roster.rests()]
        return min((*edges, *rests), default=math.inf)
