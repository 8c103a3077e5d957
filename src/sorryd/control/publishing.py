"""The calendar for others to subscribe to: gathered from the truth and the journal, made aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred

from sorryd.control import decisions
from sorryd.control.reading import Reading, Remembers
from sorryd.control.truth import Truth
from sorryd.messages import CalendarGet
from sorryd.policy.agenda import MOST, agenda, of_site
from sorryd.policy.instances import Series
from sorryd.replies import CalendarResult
from sorryd.window import Window

T = TypeVar("T")


class Aside(Protocol):
    """Calls a function where nobody waits for it: a thousand windows take half a second."""

    def __call__(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        """A Deferred of ``function(*args)``."""


def at_once(function: Callable[..., T], *args: Any) -> Deferred[T]:
    """Calls it where it is asked, for who has no other place."""
    return maybeDeferred(function, *args)


class Publishing:
    """Makes calendars."""

    def __init__(self, truth: Truth, journal: Remembers, reading: Reading, aside: Aside) -> None:
        self._truth = truth
        self._journal = journal
        self._reading = reading
        self._aside = aside

    async def calendar(self, question: CalendarGet) -> CalendarResult:
        """The windows of a site, or all, as an iCalendar object. Raises ControlError."""
        known = self._reading.known()
        decisions.check_site(known, question.site)
        past = await self._journal.past(question.site, MOST)
        known = self._reading.known()
        return await self._aside(
            _calendar, known.windows, past, known.series, question.site, known.now
        )


def _calendar(
    known: tuple[Window, ...],
    past: tuple[Window, ...],
    series: tuple[Series, ...],
    site: str | None,
    now: float,
) -> CalendarResult:
    from sorryd.policy.feed import feed

    mine = tuple(of_site(agenda(known, past, series, now), site))
    return CalendarResult(calendar=feed(mine, site), events=len(mine))
