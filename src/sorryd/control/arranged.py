"""Windows by id, and in the order of `policy.windows.arrange`.

A change costs no sorting of all: of ten thousand windows some change at every hour.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from sorryd.policy.acting import is_past
from sorryd.policy.windows import Place, place_of
from sorryd.window import Window

_Row = list[tuple[Place, Window]]  # places are all different, so windows are never compared


class Arranged:
    """Windows that come and go."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._by_id = {window.id: window for window in windows}
        self._row: _Row = sorted((place_of(one), one) for one in self._by_id.values())
        self._windows = [window for _, window in self._row]
        self._rows: dict[str | None, _Row] = {}  # by the windows' site
        for entry in self._row:
            self._rows.setdefault(entry[1].site, []).append(entry)
        self._all: tuple[Window, ...] | None = None  # worked out from these
        self._of: dict[str, tuple[Window, ...]] = {}

    def __len__(self) -> int:
        return len(self._row)

    def __getitem__(self, name: str) -> Window:
        return self._by_id[name]

    def get(self, name: str) -> Window | None:
        """The window of that id."""
        return self._by_id.get(name)

    @property
    def all(self) -> tuple[Window, ...]:
        """All of them, arranged."""
        if self._all is None:
            self._all = tuple(self._windows)
        return self._all

    def of(self, site: str) -> tuple[Window, ...]:
        """Those that concern `site`, or did, arranged."""
        known = self._of.get(site)
        if known is None:
            both = sorted((*self._rows.get(None, ()), *self._rows.get(site, ())))
            known = tuple(one for _, one in both if not one.released or is_past(one, site))
            self._of[site] = known
        return known

    def put(self, window: Window) -> None:
        """A window, in place of the one of its id."""
        self.drop(window.id)
        self._by_id[window.id] = window
        entry = place_of(window), window
        at = bisect_left(self._row, entry)
        self._row.insert(at, entry)
        self._windows.insert(at, window)
        insort(self._rows.setdefault(window.site, []), entry)
        self._forget(window.site)

    def drop(self, name: str) -> None:
        """The window of that id goes, if it is there."""
        window = self._by_id.pop(name, None)
        if window is None:
            return
        place = (place_of(window),)
        at = bisect_left(self._row, place)
        del self._row[at]
        del self._windows[at]
        row = self._rows[window.site]
        del row[bisect_left(row, place)]
        self._forget(window.site)

    def _forget(self, site: str | None) -> None:
        self._all = None
        if site is None:
            self._of.clear()
        else:
            self._of.pop(site, None)
