"""Series, and which of their instances there are now.

Of each series there are all instances that may act or start within `AHEAD`, and the next one. Those
that the journal has, because something was done to them or they are over, take the place of those
that the rule gives. An instance that would have been over by the last instant at which one was seen
to be over comes no more, whatever the clock says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from sorryd.policy.instances import Series, instance, named, reach, recurrences
from sorryd.window import Window

AHEAD: Final = 8 * 86400.0
"""Seconds: instances that start so soon are there."""

_MORE = 86400.0  # seconds that are found beyond that, so that they need not be found so often


class _Series:
    """One series: what is known of its instances."""

    def __init__(self, window: Window, kept: dict[float, bool]) -> None:
        self.window = window
        self.ended = -math.inf  # the last instant at which one was seen to be over
        self.kept = kept  # those that the journal has: whether they are final
        self.given: tuple[Window, ...] = ()  # the others
        self.due = -math.inf  # the instant at which others are to be found

    @property
    def over(self) -> float:
        """No instance comes that would be over by this instant.

        Of the changes the last one counts: the clock may have been wrong at the one before.
        """
        return max(self.ended, self.window.created, self.window.renewed or -math.inf)

    def renew(self, window: Window) -> None:
        """It is like this from now on."""
        self.window = window
        self.due = -math.inf

    def heed(self, one: Window) -> None:
        """The journal has, or will have, an instance; it is among those kept."""
        self.ended = max(self.ended, -math.inf if one.ended is None else one.ended)
        self.due = -math.inf

    def find(self, now: float) -> None:
        """It is the instant `now`: find the instances, and when to do so again."""
        lasts = reach(self.window)
        missed = self._missed(now - lasts, lasts)
        found = [] if missed is None else [missed]
        after = max(self.over, now) - lasts
        self.due, has_next = math.inf, False
        for at in recurrences(self.window, after):
            if at > now + AHEAD + _MORE and has_next:
                self.due = at - AHEAD
                break
            found.append(at)
            has_next |= at > now and not self.kept.get(at, False)
        self.given = tuple(instance(self.window, at) for at in found if at not in self.kept)
        self._forget(self.over - max(lasts, AHEAD))

    def is_exhausted(self) -> bool:
        """Whether all of its instances are over, and there come no more."""
        return not self.given and math.isinf(self.due) and all(self.kept.values())

    def _missed(self, latest: float, lasts: float) -> float | None:
        """The last instance that came and went unseen, and was not there before the series was."""
        earliest, back = self.over - lasts, AHEAD
        while earliest < latest:
            last = None
            since = max(earliest, latest - back)
            for at in recurrences(self.window, since):
                if at > latest:
                    break
                last = at
            if last is not None or since == earliest:
                return last
            back *= 8
        return None

    def _forget(self, before: float) -> None:
        """What was so long ago cannot come again."""
        for at in [at for at, is_final in self.kept.items() if is_final and at < before]:
            del self.kept[at]


class SeriesBook:
    """All series that are not final, by id."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._series: dict[str, _Series] = {}
        self._kept: dict[str, dict[float, bool]] = {}  # also of what is a series no more
        self._due = -math.inf
        self._gone: list[Window] = []  # instances of what is a series no more
        for window in sorted(windows, key=lambda window: window.every is None):
            self.put(window)
            self.keep(window)

    @property
    def series(self) -> tuple[Series, ...]:
        """The series themselves."""
        return tuple(
            Series(window=one.window, kept=frozenset(one.kept), over=one.over)
            for one in self._series.values()
        )

    def get(self, name: str) -> Window | None:
        """The series of that id."""
        found = self._series.get(name)
        return None if found is None else found.window

    def instance(self, name: str, now: float) -> Window | None:
        """What the rule has under the name ``ID@FROM``, FROM spelled in any way; else None."""
        series, at, text = name.partition("@")
        found = self._series.get(series)
        return named(found.window, text, now) if found is not None and at else None

    def is_over(self, one: Window) -> bool:
        """Whether an instance comes no more, or the journal has it."""
        found = self._series.get(one.series or "")
        if found is None or one.recurs is None:
            return True
        return one.recurs in found.kept or one.recurs + reach(found.window) <= found.over

    def put(self, window: Window) -> None:
        """A series is like this from now on; or it is none any more."""
        self._due = -math.inf
        if window.every is None or window.is_final:
            was = self._series.pop(window.id, None)
            self._gone += () if was is None else was.given
            return
        kept = self._kept.setdefault(window.id, {})
        self._series.setdefault(window.id, _Series(window, kept)).renew(window)

    def keep(self, one: Window) -> None:
        """The journal has, or will have, this window; where it is an instance, it is kept."""
        if one.series is None or one.recurs is None:
            return
        self._kept.setdefault(one.series, {})[one.recurs] = one.is_final
        if one.series in self._series:
            self._due = -math.inf
            self._series[one.series].heed(one)

    def is_due(self, now: float) -> bool:
        """Whether it is time to find instances anew."""
        return self._due <= now

    def find(self, now: float) -> tuple[list[Window], list[Window]]:
        """It is the instant `now`: the instances that go, and those that come.

        These are those that rules give; not those that the journal has.
        """
        gone, new = self._gone, list[Window]()
        self._gone = []
        for one in self._series.values():
            if one.due <= now:
                before = {each.id: each for each in one.given}
                one.find(now)
                after = {each.id: each for each in one.given}
                gone += (each for name, each in before.items() if name not in after)
                new += (each for name, each in after.items() if before.get(name) != each)
        self._due = min((one.due for one in self._series.values()), default=math.inf)
        return gone, new

    def exhausted(self) -> tuple[Window, ...]:
        """The series of which all is over, as found last."""
        return tuple(one.window for one in self._series.values() if one.is_exhausted())
