"""What was counted, in the words of the control protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from sorryd.control import decisions
from sorryd.control.answers import Scene, cause_of, instant, optional
from sorryd.control.reading import Reading
from sorryd.messages import NumbersGet
from sorryd.numbers import (
    BOUNDS,
    CLASSES,
    PHASES,
    Answered,
    EdgeNumbers,
    MemberNumbers,
    SiteNumbers,
    by_class,
)
from sorryd.replies_numbers import (
    AnsweredResult,
    MemberNumbersResult,
    NumbersResult,
    SiteNumbersResult,
)
from sorryd.reports import WorkerSeen
from sorryd.snapshot import MemberView, SiteView


class Counts(Protocol):
    """What is asked of the edges."""

    def numbers(self) -> Deferred[EdgeNumbers]:
        """What all of them have counted."""

    def workers(self) -> Sequence[WorkerSeen]:
        """The processes that serve visitors; none where this one does."""


class Counting:
    """Answers what was counted."""

    def __init__(self, reading: Reading, edge: Counts) -> None:
        self._reading = reading
        self._edge = edge

    async def numbers(self, question: NumbersGet) -> NumbersResult:
        """All of it, or that of a site. Raises ControlError."""
        decisions.check_site(self._reading.known(), question.site)
        numbers = await self._edge.numbers()
        return numbers_result(
            self._reading.scene(),
            self._reading.started,
            numbers,
            self._edge.workers(),
            question.site,
        )


def numbers_result(
    scene: Scene,
    started: str,
    numbers: EdgeNumbers,
    workers: Sequence[WorkerSeen],
    site: str | None,
) -> NumbersResult:
    """All of it, or that of one `site`."""
    counted = {one.site: one for one in numbers.sites}
    staying = [one for one in workers if not one.is_leaving]
    return NumbersResult(
        started=started,
        now=instant(scene.now, scene.config.timezone),
        bounds=BOUNDS,
        workers=len(staying),
        missing=sum(one.pid is None for one in staying),
        restarts=sum(one.restarts for one in staying),
        sites=tuple(
            _site(view, scene, counted.get(view.site.name) or SiteNumbers(site=view.site.name))
            for view in scene.views
            if site in (None, view.site.name)
        ),
    )


def _site(view: SiteView, scene: Scene, numbers: SiteNumbers) -> SiteNumbersResult:
    zone, standing = view.site.timezone, scene.standings[view.site.name]
    return SiteNumbersResult(
        name=view.site.name,
        phase=standing.phase,
        cause=cause_of(view, standing),
        until=optional(standing.until, zone),
        next=None if standing.next is None else instant(standing.next.start, zone),
        connections=numbers.open,
        tunnels=numbers.tunnels,
        waiting=numbers.waiting,
        accepted=numbers.accepted,
        turned_away=numbers.turned_away,
        received=numbers.received,
        itself=_answered(numbers.itself),
        members=tuple(_members(view.members, numbers.members)),
    )


def _members(
    views: Iterable[MemberView], numbers: Iterable[MemberNumbers]
) -> Iterator[MemberNumbersResult]:
    counted = {one.url: one for one in numbers}
    for view in views:
        url = view.member.url
        one = counted.get(url) or MemberNumbers(url=url)
        yield MemberNumbersResult(
            url=url,
            state=view.state,
            health=view.health,
            in_flight=one.in_flight,
            idle=one.idle,
            answered=_answered(one.answered),
            connects=one.connects,
            retries=one.retries,
            failovers=one.failovers,
            failures=one.failures,
        )


def _answered(one: Answered) -> AnsweredResult:
    rows = zip(*(by_class(one, phase) for phase in PHASES), strict=True)
    return AnsweredResult(
        codes=dict(zip(CLASSES, map(sum, rows), strict=True)),
        durations=one.durations,
        seconds=one.seconds,
        sent=one.sent,
    )
