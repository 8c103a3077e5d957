"""Series, and which of their instances there are now.

Of each series there are all instances that may act or start within `AHEAD`, and the next one. Those
that the journal has, because something was done to them or they are over, take the place of those
that the rule gives. An instance that would have been over by the last instant at which one was seen
to be over comes no more, whatever the clock says.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Final

from sorryd.policy.instances import Series, instance, named, reach, recurrences
from sorryd.window import Window

AHEAD: Final = 8 * 86400.0
"""Seconds: instances that start so soon are there."""

_MORE = 86400.0  # seconds that are found beyond that, so that they need not be found so often


@dataclass
class _Past:
    """What the journal has of the instances of a series, or of what was one."""

    kept: dict[str, Window] = field(default_factory=dict)  # by id
    ended: float = -math.inf  # the last instant at which one was seen to be over

    @property
    def instants(self) -> frozenset[float]:
        """Where the rule gives none."""
        return frozenset(one.recurs for one in self.kept.values() if one.recurs is not None)

    @property
    def taken(self) -> frozenset[str]:
        """Ids that no other instance gets."""
        return frozenset(self.kept)

    def heed(self, one: Window) -> None:
        """The journal has, or will have, this instance."""
        self.kept[one.id] = one
        self.ended = max(self.ended, -math.inf if one.ended is None else one.ended)

    def forget(self, before: float) -> None:
        """What was so long ago cannot come again."""
        for name, one in tuple(self.kept.items()):
            if one.is_final and one.recurs is not None and one.recurs < before:
                del self.kept[name]


class _Series:
    """One series: what is known of its instances."""

    def __init__(self, window: Window, past: _Past) -> None:
        self.window = window
        self.past = past
        self.given: tuple[Window, ...] = ()  # the instances that the journal does not have
        self.due = -math.inf  # the instant at which others are to be found

    @property
    def over(self) -> float:
        """No instance comes that would be over by this instant.

        Of the changes the last one counts: the clock may have been wrong at the one before.
        """
        return max(self.past.ended, self.window.created, self.window.renewed or -math.inf)

    def renew(self, window: Window) -> None:
        """It is like this from now on."""
        self.window = window
        self.due = -math.inf

    def find(self, now: float) -> None:
        """It is the instant `now`: find the instances, and when to do so again."""
        lasts, kept, taken = reach(self.window), self.past.instants, self.past.taken
        alive = {one.recurs for one in self.past.kept.values() if not one.is_final}
        missed = self._missed(now - lasts, lasts, kept)
        found = [] if missed is None else [missed]
        after = max(self.over, now) - lasts
        self.due, has_next = math.inf, False
        for at in recurrences(self.window, after):
            if at > now + AHEAD + _MORE and has_next:
                self.due = at - AHEAD
                break
            found.append(at)
            has_next |= at > now and (at not in kept or at in alive)
        self.given = tuple(instance(self.window, at, taken) for at in found if at not in kept)
        # In another zone, what may come yet has the name of another day's.
        self.past.forget(self.over - lasts - AHEAD)

    def is_exhausted(self) -> bool:
        """Whether all of its instances are over, and there come no more."""
        return (
            not self.given
            and math.isinf(self.due)
            and all(one.is_final for one in self.past.kept.values())
        )

    def _missed(self, latest: float, lasts: float, kept: Container[float]) -> float | None:
        """The last instance that came and went unseen, and was not there before the series was.

        None of those that are kept: one that was taken back is over, but was not seen to be.
        """
        earliest, back = self.over - lasts, AHEAD
        while earliest < latest:
            last = None
            since = max(earliest, latest - back)
            for at in recurrences(self.window, since):
                if at > latest:
                    break
                last = last if at in kept else at
            if last is not None or since == earliest:
                return last
            back *= 8
        return None


class SeriesBook:
    """All series that are not final, by id."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._series: dict[str, _Series] = {}
        self._pasts: dict[str, _Past] = {}  # also of what is a series no more
        self._due = -math.inf
        self._gone: list[Window] = []  # instances of what is a series no more
        for window in sorted(windows, key=lambda window: window.every is None):
            self.put(window)
            self.keep(window)

    @property
    def series(self) -> tuple[Series, ...]:
        """The series themselves."""
        return tuple(
            Series(window=one.window, kept=one.past.instants, taken=one.past.taken, over=one.over)
            for one in self._series.values()
        )

    def get(self, name: str) -> Window | None:
        """The series of that id."""
        found = self._series.get(name)
        return None if found is None else found.window

    def taken(self, name: str) -> frozenset[str]:
        """The ids of instances that the journal has of the series, or what was one."""
        past = self._pasts.get(name)
        return frozenset() if past is None else past.taken

    def instance(self, name: str, now: float) -> Window | None:
        """What the rule has under the name ``ID@FROM``, FROM spelled in any way; else None.

        A name just as the journal has it means what the journal has.
        """
        series, at, text = name.partition("@")
        found = self._series.get(series)
        if found is None or not at or name in found.past.kept:
            return None
        return named(found.window, text, now, found.past.kept)

    def is_over(self, one: Window) -> bool:
        """Whether an instance comes no more, or the journal has it."""
        found = self._series.get(one.series or "")
        if found is None or one.recurs is None:
            return True
        return one.recurs in found.past.instants or one.recurs + reach(found.window) <= found.over

    def put(self, window: Window) -> None:
        """A series is like this from now on; or it is none any more."""
        self._due = -math.inf
        if window.every is None or window.is_final:
            was = self._series.pop(window.id, None)
            self._gone += () if was is None else was.given
            if window.is_final:
                self._pasts.pop(window.id, None)
            return
        past = self._pasts.setdefault(window.id, _Past())
        self._series.setdefault(window.id, _Series(window, past)).renew(window)

    def keep(self, one: Window) -> None:
        """The journal has, or will have, this window; where it is an instance, it is kept."""
        if one.series is None or one.recurs is None:
            return
        self._pasts.setdefault(one.series, _Past()).heed(one)
        if one.series in self._series:
            self._due = self._series[one.series].due = -math.inf

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
