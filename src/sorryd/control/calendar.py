"""The windows' part of the truth: which there are, when they end, and where a site stands by them.

An end that has come is final at once; the journal follows, and is asked again at each look
until it has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sorryd.control.chronicle import Chronicle
from sorryd.journal import Change, HistoryEntry, WindowPut
from sorryd.model import Site
from sorryd.policy.acting import is_past
from sorryd.policy.windows import (
    Standing,
    arrange,
    final,
    is_continued,
    passed,
    settled,
    standing,
)
from sorryd.window import Window


class Commits(Protocol):
    """What those who change something need of a journal."""

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        """Write it all or nothing; fires when it is on disk."""


class Calendar:
    """Windows that are not final, of whatever site, and the past of those that are open.

    The methods that observe something say whether they did.
    """

    def __init__(self, windows: Iterable[Window], journal: Commits, chronicle: Chronicle) -> None:
        self._journal = journal
        self._chronicle = chronicle
        self._windows = {window.id: window for window in windows}
        self._by_site: dict[str, tuple[Window, ...]] = {}  # worked out from `arranged`
        self._standings: dict[str, Standing] = {}  # worked out from that
        self._files: dict[str, float] = {}  # since when sorry files are there, by site
        self._unsaved: dict[str, Window] = {}  # ended by themselves, not yet in the journal
        self._saving: set[str] = set()  # those of them that the journal is writing
        self._reserved: frozenset[str] = frozenset()
        self.arrange()

    # --- what is known ------------------------------------------------------------------------

    arranged: tuple[Window, ...]
    """All of them, in the order of `policy.windows.arrange`."""

    def find(self, name: str) -> Window | None:
        """The window of that id, unless it is final and the journal has it."""
        return self._windows.get(name) or self._unsaved.get(name)

    def of(self, site: Site) -> tuple[Window, ...]:
        """Those that concern `site`, arranged."""
        known = self._by_site.get(site.name)
        if known is None:
            known = tuple(window for window in self.arranged if is_past(window, site.name))
            self._by_site[site.name] = known
        return known

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
        self._windows[window.id] = window

    def find_file(self, site: str, since: float | None) -> None:
        """The sorry file of `site` is there since that instant, or not there."""
        self._files.pop(site, None)
        if since is not None:
            self._files[site] = since
        self._standings.pop(site, None)

    def arrange(self) -> None:
        """Windows or sites have changed: sort anew, and forget what followed of the old ones."""
        self.arranged = arrange(self._windows.values())
        self._by_site.clear()
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
        """It is the instant `now`: make final what is over."""
        ends = [name for name in passed(self.arranged, now) if name not in self._reserved]
        for name in ends:
            window = self._windows[name]
            over = settled(window, now)
            self._windows[name] = self._unsaved[name] = over
            self._chronicle.over(over)
        if ends:
            self.arrange()
        for window in tuple(self._unsaved.values()):
            if window.id not in self._saving:
                self._save(window, now)
        return bool(ends)

    def forget_past(self, sites: Sequence[Site], now: float) -> bool:
        """Keep of final windows only what the down-time of one of the `sites` began with."""
        before = len(self._windows)
        for window in final(self.arranged):
            if not any(
                is_continued(window, self.standing(site, now))
                for site in sites
                if is_past(window, site.name)
            ):
                del self._windows[window.id]
        if len(self._windows) == before:
            return False
        self.arrange()
        return True

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
