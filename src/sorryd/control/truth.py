"""The one place on the control side where state changes: windows, members, their health.

The truth hears of what happens by `look` (time has passed), `report` (the edge has seen
something) and `apply` (a command has been committed). From what it then holds it builds an
immutable `Snapshot` and publishes it. It knows nothing of the edge, the alarm or the control
socket; what it calls is given to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, assert_never

from sorryd.control.calendar import Calendar
from sorryd.control.chronicle import Chronicle, tell_strays
from sorryd.control.diary import Appends, Diary
from sorryd.control.observed import Commits
from sorryd.control.roster import Roster
from sorryd.control.trials import Trials
from sorryd.control.turn import Turn
from sorryd.journal import Change, Loaded, MemberPut, WindowPut
from sorryd.model import Config, Site
from sorryd.policy.instances import Series
from sorryd.policy.windows import Standing
from sorryd.reports import (
    CheckFailed,
    CheckPassed,
    EdgePassed,
    MemberAnswered,
    MemberFailed,
    MemberTried,
    Report,
)
from sorryd.snapshot import GivenPage, SiteView, Snapshot
from sorryd.window import Window


@dataclass(frozen=True)
class Clocks:
    """Where `wall` (instants) and `monotonic` (moments) time come from."""

    wall: Callable[[], float]
    monotonic: Callable[[], float]


class Writes(Commits, Appends, Protocol):
    """What the truth needs of a journal."""


class Truth:
    """What is so. `publish` gets each new snapshot, `wake` the instant to look again at.

    `files` are the sorry files and `fetched` the pages from elsewhere that are there at the
    start, by the names of their sites.
    """

    def __init__(
        self,
        config: Config,
        loaded: Loaded,
        journal: Writes,
        clocks: Clocks,
        publish: Callable[[Snapshot], None],
        wake: Callable[[float], None],
        files: Mapping[str, GivenPage] | None = None,
        fetched: Mapping[str, GivenPage] | None = None,
    ) -> None:
        self._config = config
        self._clocks = clocks
        self._publish = publish
        self._wake = wake
        self._chronicle = Chronicle()
        self._diary = Diary(journal, loaded.told)
        tell_strays(loaded.windows, self._sites())
        self._calendar = Calendar(loaded.windows, journal, self._chronicle)
        self._trials = Trials(config.workers)
        self._roster = Roster(config, loaded.members, self._trials.worker)
        self._files = dict(files or {})
        self._fetched = dict(fetched or {})
        for name, page in self._files.items():
            self._calendar.find_file(name, page.since)
        self._changed = True  # since the last snapshot
        self._snapshot = Snapshot(serial=0, sites=tuple(map(self._view, config.sites)))

    # --- what is so ---------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def windows(self) -> tuple[Window, ...]:
        """Windows that are not final, and the past of those that are open, arranged.

        Instances of series are among them, the series are not.
        """
        return self._calendar.arranged

    @property
    def series(self) -> tuple[Series, ...]:
        """The series that are not final."""
        return self._calendar.series

    @property
    def unsaved(self) -> tuple[Window, ...]:
        """Windows that the journal does not have yet as they are."""
        return self._calendar.unsaved

    @property
    def snapshot(self) -> Snapshot:
        """The one published last; before the first look, one that nobody has seen."""
        return self._snapshot

    def find(self, name: str) -> Window | None:
        """The window, series or instance of that id, unless it is final and the journal has it."""
        return self._calendar.find(name, self._clocks.wall())

    def spelled(self, name: str) -> str:
        """The id that `name` is meant to be: FROM of ``ID@FROM`` may be spelled in any way."""
        return self._calendar.spelled(name, self._clocks.wall())

    def is_kept(self, window: Window) -> bool:
        """Whether the journal has `window`, rather than only the rule of its series."""
        return self._calendar.is_kept(window)

    def taken(self, name: str) -> frozenset[str]:
        """The ids of instances that the journal has of the series, or what was one."""
        return self._calendar.taken(name)

    def setting(self, site: str, url: str) -> MemberPut:
        """What the operator wants of a member."""
        return self._roster.setting(site, url)

    def standing(self, site: Site) -> Standing:
        """Where `site` stands now."""
        return self._calendar.standing(site, self._clocks.wall())

    def now(self) -> float:
        """The instant it is."""
        return self._clocks.wall()

    # --- what happens -------------------------------------------------------------------------

    def look(self) -> None:
        """Time has passed: make final what is over, end rests, and tell what follows of it."""
        now, moment = self._clocks.wall(), self._clocks.monotonic()
        self._chronicle.clocks(now, moment)
        self._changed |= self._calendar.end_passed(now)
        for turn in self._roster.rested(moment):
            self._turned(turn)
        self._changed |= self._roster.climbed(moment)
        self._verify(now, moment)
        self._changed |= self._trials.look(self._roster.on_trial(), moment)
        self._settle(now, moment)

    def report(self, report: Report) -> None:
        """The edge, or a check, has seen something."""
        match report:
            case MemberFailed() | MemberAnswered() | CheckPassed() | CheckFailed():
                is_verifying = self._calendar.is_verifying(report.site)
                turn = self._roster.hear(report, self._clocks.monotonic(), is_verifying)
                if turn is not None:
                    self._turned(turn)
                elif not is_verifying:
                    return
            case MemberTried():
                self._trials.hear(report, self._clocks.monotonic())
            case EdgePassed():
                pass
            case _:
                assert_never(report)
        self.look()

    def worker_lost(self, number: int) -> None:
        """A worker has died: what it had the leave for is another one's."""
        self._trials.lose(number, self._clocks.monotonic())
        self.look()

    def find_file(self, site: str, page: GivenPage | None) -> None:
        """The sorry file of `site` is there, and this is in it; or it is gone."""
        self._calendar.find_file(site, None if page is None else page.since)
        self._give(self._files, site, page)

    def fetch_page(self, site: str, page: GivenPage | None) -> None:
        """The page of `site` was fetched from elsewhere; None: what there is, is of another URL."""
        self._give(self._fetched, site, page)

    def _give(self, pages: dict[str, GivenPage], site: str, page: GivenPage | None) -> None:
        if pages.get(site) == page:
            return
        if page is None:
            del pages[site]
        else:
            pages[site] = page
        self._changed = True
        self.look()

    def apply(self, changes: Sequence[Change]) -> None:
        """The journal has `changes`: they are so from now on."""
        for change in changes:
            match change:
                case WindowPut(window=window):
                    self._calendar.put(window)
                case MemberPut():
                    self._roster.set(change, self._clocks.monotonic())
                case _:
                    assert_never(change)
        self._changed = True
        self._calendar.arrange()
        self.look()

    def configure(self, config: Config) -> None:
        """Another configuration is in force. Windows of sites that go are kept, and do nothing."""
        known, names = self._sites(), frozenset(site.name for site in config.sites)
        self._config = config
        self._roster.configure(config)
        self._trials.configure(config.workers)
        for name in known - names:
            self._chronicle.forget(name)
            self._diary.forget(name)
            self._files.pop(name, None)
            self._calendar.find_file(name, None)
            self._fetched.pop(name, None)
        tell_strays((w for w in self._calendar.arranged if w.site in known), names)
        self._changed = True
        self._calendar.arrange()
        self.look()

    def reserved(self, names: frozenset[str]) -> AbstractContextManager[None]:
        """While the journal takes a change of these windows, their end is not observed."""
        return self._calendar.reserved(names)

    def _sites(self) -> frozenset[str]:
        return frozenset(site.name for site in self._config.sites)

    # --- what follows -------------------------------------------------------------------------

    def _turned(self, turn: Turn) -> None:
        self._chronicle.turned(turn)
        self._diary.turned(turn, self._clocks.wall())
        self._changed |= turn.before is not turn.after

    def _verify(self, now: float, moment: float) -> None:
        """Reopen what is healthy again, and give and take the members that windows are for."""
        sites = self._config.sites
        self._changed |= self._calendar.verify(sites, now, moment, self._roster.is_healthy)
        for site in sites:
            withdrawn = self._calendar.standing(site, now).withdrawn
            self._changed |= self._roster.withdraw(site, withdrawn, moment)

    def _settle(self, now: float, moment: float) -> None:
        self._changed |= self._calendar.forget_past(self._config.sites, now)
        if self._changed:
            self._changed = False
            sites = tuple(map(self._view, self._config.sites))
            self._snapshot = Snapshot(serial=self._snapshot.serial + 1, sites=sites)
            self._publish(self._snapshot)
        for view in self._snapshot.sites:
            standing = self._calendar.standing(view.site, now)
            self._tell(view, standing, now)
            self._diary.members(view, standing, now, moment)
        self._diary.write()
        self._wake(self._next_look(now, moment))

    def _tell(self, view: SiteView, standing: Standing, now: float) -> None:
        def recall(name: str) -> Window | None:
            return self._calendar.recall(name) or self._calendar.find(name, now)

        name, limit = view.site.name, self._config.down_limit
        self._chronicle.standing(view, standing, now, recall)
        self._diary.stands(name, standing, now, recall)
        if self._diary.remind(name, standing, limit, now, recall):
            self._chronicle.overdue(view.site, standing, now)

    def _view(self, site: Site) -> SiteView:
        return SiteView(
            site=site,
            members=self._roster.views(site),
            windows=self._calendar.of(site),
            file=self._files.get(site.name),
            fetched=self._fetched.get(site.name),
            verifying=self._calendar.is_verifying(site.name),
        )

    def _edges(self) -> Iterator[float]:
        yield from self._roster.edges()
        yield from self._trials.edges()
        yield from self._diary.edges()

    def _next_look(self, now: float, moment: float) -> float:
        """The instant at which something will be otherwise, if nothing happens before."""
        edges = [self._calendar.standing(site, now).holds_until for site in self._config.sites]
        members = [now + edge - moment for edge in self._edges()]
        return min((*edges, *members), default=math.inf)
