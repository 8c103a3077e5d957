"""The windows' part of the truth: which there are, when they end, and where a site stands by them.

An end that has come is final at once, and so is what was verified; the journal follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from sorryd.control.arranged import Arranged
from sorryd.control.chronicle import Chronicle
from sorryd.control.observed import Commits, Observed
from sorryd.control.series import SeriesBook
from sorryd.control.verification import Verification
from sorryd.model import Site
from sorryd.policy.acting import is_past, recovered
from sorryd.policy.instances import Series
from sorryd.policy.windows import (
    Standing,
    final,
    is_continued,
    passed,
    settled,
    standing,
    verifying,
)
from sorryd.window import Window

IsHealthy = Callable[[Site, tuple[str, ...], float], bool]


class Calendar:
    """Windows that are not final, of whatever site, and the past of those that are open.

    The methods that observe something say whether they did.
    """

    def __init__(self, windows: Iterable[Window], journal: Commits, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        windows = tuple(windows)
        self._book = SeriesBook(windows)
        self._windows = Arranged(window for window in windows if window.every is None)
        self._given: set[str] = set()  # ids of those of them that the rules of series give
        self._standings: dict[str, Standing] = {}  # worked out from them
        self._files: dict[str, float] = {}  # since when sorry files are there, by site
        self._forgotten: dict[str, Window] = {}  # at the last look
        self._observed = Observed(journal, chronicle)
        self._verification = Verification()
        self._reserved: frozenset[str] = frozenset()

    # --- what is known ------------------------------------------------------------------------

    @property
    def arranged(self) -> tuple[Window, ...]:
        """All of them, in the order of `policy.windows.arrange`."""
        return self._windows.all

    @property
    def series(self) -> tuple[Series, ...]:
        """The series that are not final; their instances are among `arranged`."""
        return self._book.series

    @property
    def unsaved(self) -> tuple[Window, ...]:
        """Windows that the journal does not have yet as they are."""
        return self._observed.windows

    def find(self, name: str, now: float) -> Window | None:
        """The window, series or instance of that id, unless it is final and the journal has it."""
        found = self._windows.get(name) or self._book.get(name) or self._observed.find(name)
        one = None if found is not None else self._book.instance(name, now)
        if one is None:
            return found
        known = self._windows.get(one.id) or self._observed.find(one.id)
        return one if known is None and not self._book.is_over(one) else known

    def spelled(self, name: str, now: float) -> str:
        """The id that `name` is meant to be: FROM of ``ID@FROM`` may be spelled in any way."""
        one = self._book.instance(name, now)
        return name if one is None else one.id

    def is_kept(self, window: Window) -> bool:
        """Whether the journal has `window`, rather than only the rule of its series."""
        return window.id not in self._given

    def taken(self, name: str) -> frozenset[str]:
        """The ids of instances that the journal has of the series, or what was one."""
        return self._book.taken(name)

    def recall(self, name: str) -> Window | None:
        """The window of that id as it is, also one that was forgotten only just now."""
        return self._windows.get(name) or self._forgotten.get(name)

    def of(self, site: Site) -> tuple[Window, ...]:
        """Those that concern `site`, arranged."""
        return self._windows.of(site.name)

    def standing(self, site: Site, now: float) -> Standing:
        """Where `site` stands at the instant `now`."""
        known = self._standings.get(site.name)
        if known is None or not known.holds_from <= now < known.holds_until:
            known = standing(self.of(site), site, now, self._files.get(site.name))
            self._standings[site.name] = known
        return known

    # --- what happens -------------------------------------------------------------------------

    def put(self, window: Window) -> None:
        """The journal has this window; `arrange` follows."""
        self._book.put(window)
        if window.every is None:
            self._keep(window)
        else:
            self._windows.drop(window.id)
        self._observed.follow(window)

    def find_file(self, site: str, since: float | None) -> None:
        """The sorry file of `site` is there since that instant, or not there."""
        self._files.pop(site, None)
        if since is not None:
            self._files[site] = since
        self._standings.pop(site, None)

    def arrange(self) -> None:
        """Windows or sites have changed: forget what followed of the old ones."""
        self._standings.clear()

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

    def end_passed(self, now: float) -> bool:
        """It is the instant `now`: find instances of series, and make final what is over."""
        found = self._find(now)
        ends = [name for name in passed(self.arranged, now) if name not in self._reserved]
        for name in ends:
            before = self._windows[name]
            after = settled(before, now)
            gave_up = after.gave_up is not None
            self._observe(before, after, "window.gave_up" if gave_up else "window.passed", now)
            self._chronicle.over(after)
        if ends:
            self._find(now)
            self.arrange()
        self._observed.save(self._reserved)
        return found or bool(ends)

    def _keep(self, window: Window) -> None:
        """The journal has, or will have, a window that is no series."""
        self._windows.put(window)
        self._given.discard(window.id)
        self._book.keep(window)

    def _find(self, now: float) -> bool:
        """It is the instant `now`: take in the instances that rules give; whether any is new."""
        if not self._book.is_due(now):
            return False
        gone, new = self._book.find(now)
        for name in self._given.intersection(one.id for one in gone):
            self._windows.drop(name)
            self._given.discard(name)
        for one in new:
            self._keep_given(one)
        for series in self._book.exhausted():
            if series.id not in self._reserved:
                over = replace(series, ended=now)
                self._observed.add(series, over, "window.passed", series.site, now)
                self._book.put(over)
                self._chronicle.over(over)
        if gone or new:
            self.arrange()
        return bool(gone or new)

    def _keep_given(self, window: Window) -> None:
        """The rule of a series gives this one."""
        self._windows.put(window)
        self._given.add(window.id)

    def verify(
        self, sites: Sequence[Site], now: float, moment: float, is_healthy: IsHealthy
    ) -> bool:
        """It is the instant `now`, at `moment`: make final what is verified.

        `is_healthy` is asked for a site, members of it or none for all, and the moment after
        which their checks must have begun.
        """
        waiting = tuple(
            window for window in verifying(self.arranged, now) if window.id not in self._reserved
        )
        changed = self._verification.look(waiting, sites, moment)
        found = tuple(self._verification.healthy(waiting, sites, is_healthy))
        for window, site in found:
            before = self._windows[window.id]
            after = recovered(before, site.name, [one.name for one in sites], now)
            self._observe(before, after, "window.verified", now, site.name)
            self._chronicle.verified(after, site.name)
        if found:
            self.arrange()
            self._verification.look(verifying(self.arranged, now), sites, moment)
            self._observed.save(self._reserved)
        return changed or bool(found)

    def is_verifying(self, site: str) -> bool:
        """Whether the members of `site` are to be checked for a window."""
        return site in self._verification.sites

    def _observe(
        self, before: Window, after: Window, verb: str, now: float, site: str | None = None
    ) -> None:
        self._keep(after)
        self._observed.add(before, after, verb, before.site or site, now)

    def forget_past(self, sites: Sequence[Site], now: float) -> bool:
        """Keep of final windows only what the down-time of one of the `sites` began with."""
        self._forgotten.clear()
        for window in final(self.arranged):
            if not any(
                is_continued(window, self.standing(site, now))
                for site in sites
                if is_past(window, site.name)
            ):
                self._windows.drop(window.id)
                self._forgotten[window.id] = window
        if not self._forgotten:
            return False
        self.arrange()
        return True
