"""The calendar's standings, kept, finalised and forgotten piece by piece, against all afresh."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.policy.windows import any_window, planned, site
from twisted.internet.defer import Deferred, fail, succeed

from sorryd.control.calendar import Calendar
from sorryd.control.chronicle import Chronicle
from sorryd.journal import Change, HistoryEntry, JournalError, WindowPut
from sorryd.model import Site
from sorryd.policy.acting import acts
from sorryd.policy.windows import Standing, arrange, standing
from sorryd.window import Window

SITES = site("shop", drain=3.0, announce=5.0), site("blog", drain=0.0, announce=0.0)
QUARTERS = st.integers(-160, 160).map(lambda quarter: quarter / 4)
WINDOWS = st.lists(any_window(), max_size=5, unique_by=lambda window: window.id)
# What happens at each look: whether members are well, the file is there, and the journal writes.
LOOKS = st.lists(st.tuples(QUARTERS, st.booleans(), st.booleans(), st.booleans()), max_size=12)


class Book:
    """A journal that may fail; `windows` are as it has them."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self.windows = {window.id: window for window in windows}
        self.is_broken = False

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        if self.is_broken:
            return fail(JournalError("sorryd.db: disk I/O error"))
        for change in changes:
            assert isinstance(change, WindowPut)
            self.windows[change.window.id] = change.window
        return succeed(None)


class Night:
    """A calendar that is looked at, and what it should say by all windows that there ever were."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self.book = Book(windows)
        self.calendar = Calendar(windows, self.book, Chronicle())
        self.files: dict[str, float] = {}
        self.moment = 0.0
        self.all = dict(self.book.windows)

    def look(self, now: float, is_well: bool, is_filed: bool, is_written: bool) -> None:
        self.moment += 1.0
        self.book.is_broken = not is_written
        if is_filed is not ("shop" in self.files):
            self._find_file(now if is_filed else None)
        self.calendar.end_passed(now)
        self.calendar.verify(SITES, now, self.moment, lambda *_: is_well)
        for name in self.all:
            self.all[name] = self.calendar.find(name, now) or self.book.windows[name]
        self.calendar.forget_past(SITES, now)

    def _find_file(self, since: float | None) -> None:
        self.files.pop("shop", None)
        if since is not None:
            self.files["shop"] = since
        self.calendar.find_file("shop", since)

    def afresh(self, one: Site, now: float) -> Standing:
        return standing(arrange(self.all.values()), one, now, self.files.get(one.name))


def told(held: Standing) -> tuple[object, ...]:
    """All that is told of a site, but for how it drains: a clock that steps back may do so anew."""
    window = held.next.id if held.next else None
    members = [one.url for one in held.withdrawn]
    return (held.phase.serves, held.cause, held.window, held.reason, held.until, window,
            [one.id for one in held.partial], members)  # fmt: skip


@given(WINDOWS, LOOKS)
def test_incremental_is_afresh(
    windows: list[Window], looks: list[tuple[float, bool, bool, bool]]
) -> None:
    """However clock, health, file and journal go, what is kept says what all windows say."""
    night = Night(windows)
    for now, *health in looks:
        night.look(now, *health)
        for one in SITES:
            found, fresh = night.calendar.standing(one, now), night.afresh(one, now)
            assert told(found) == told(fresh)
            # As the edge does: what it got holds for as long as it says.
            view = night.calendar.of(one)
            edge = standing(view, one, now, night.files.get(one.name))
            assert (edge.phase, edge.until) == (found.phase, found.until)
            assert found.holds_from <= now < found.holds_until


@given(WINDOWS, LOOKS)
def test_drain_is_afresh(
    windows: list[Window], looks: list[tuple[float, bool, bool, bool]]
) -> None:
    """While the clock does not step back, a site drains as if nothing had been forgotten."""
    night = Night([replace(window, ended=None) for window in windows])
    for now, *health in sorted(looks):
        night.look(now, *health)
        for one in SITES:
            found, fresh = night.calendar.standing(one, now), night.afresh(one, now)
            assert (found.phase, found.since, found.drain) == (
                fresh.phase, fresh.since, fresh.drain,
            )  # fmt: skip
            assert found.withdrawn == fresh.withdrawn


@given(WINDOWS, LOOKS, QUARTERS)
def test_what_is_final_stays_so(
    windows: list[Window], looks: list[tuple[float, bool, bool, bool]], later: float
) -> None:
    """What was seen as ended, cancelled or verified never acts again, whatever the clock shows."""
    night = Night(windows)
    over: set[str] = set()
    for now, *health in [*looks, (later, False, False, True)]:
        night.look(now, *health)
        for one in SITES:
            held = night.calendar.standing(one, now)
            assert held.window not in over
            assert over.isdisjoint(window.id for window in held.partial)
            assert held.next is None or held.next.id not in over
        over |= {name for name, window in night.all.items() if window.is_final}
    assert not any(acts(night.all[name], at) for name in over for at in (-99.0, 20.0, 99.0))


@given(WINDOWS, LOOKS)
def test_a_restart_changes_nothing(
    windows: list[Window], looks: list[tuple[float, bool, bool, bool]]
) -> None:
    """A calendar from what the journal has says what the one said that wrote it."""
    night = Night(windows)
    for now, is_well, is_filed, _ in looks:
        night.look(now, is_well, is_filed, True)
        again = Calendar(night.book.windows.values(), night.book, Chronicle())
        again.find_file("shop", night.files.get("shop"))
        for one in SITES:
            assert told(again.standing(one, now)) == told(night.calendar.standing(one, now))


def test_a_site_that_was_verified_apart() -> None:
    """Of a window for all, the site that is well is so for good; the other one waits."""
    night = Night([planned("all", 0.0, 10.0, site=None, until_healthy=99.0)])
    calendar = night.calendar
    calendar.end_passed(10.0)
    calendar.verify(SITES, 10.0, 1.0, lambda one, urls, since: one.name == "shop")
    for now in (5.0, 11.0):
        phases = [calendar.standing(one, now).phase.serves for one in SITES]
        assert phases == [True, False]
    (kept,) = night.book.windows.values()
    assert (kept.released, kept.recovered[0].at) == (("shop",), 10.0)
    assert replace(kept, released=(), recovered=(), sequence=0).ended is None
