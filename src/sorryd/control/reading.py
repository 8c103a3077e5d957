"""Requests that only read, and what is so: answered from the truth, without waiting for a disk.

But for the history and windows that are over: those are the journal's. Where events begin for who
subscribes is told here, too; `server` sends them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Protocol, assert_never

from msgspec.structs import asdict, replace
from twisted.internet.defer import Deferred

from sorryd.control import decisions, preview
from sorryd.control.answers import (
    Scene,
    following,
    instant,
    loads,
    site_statuses,
    window_result,
    worker_status,
)
from sorryd.control.decisions import Known
from sorryd.control.missing import no_window
from sorryd.control.planning import MOST, Outlook, coming, further, planned, rehearsed
from sorryd.control.spans import past_instant, wanted_ahead, zone_named, zone_of
from sorryd.control.telling import deed
from sorryd.control.truth import Truth
from sorryd.control.versions import sorryd_version, versions
from sorryd.errors import invalid_params, not_found
from sorryd.messages import (
    DaemonVersion,
    EventsSubscribe,
    HistoryList,
    PagePreview,
    Status,
    WindowGet,
    WindowList,
    WindowPlan,
)
from sorryd.numbers import EdgeNumbers
from sorryd.policy.acting import acts
from sorryd.replies import DryRunResult, PreviewResult, Result, StatusResult, WindowResult
from sorryd.replies_history import HistoryResult, SubscribeResult
from sorryd.replies_plan import PlanResult
from sorryd.reports import Active, ShownCertificate, WorkerSeen
from sorryd.stream import Stream
from sorryd.window import Window

_DAY = 86400.0
_MOST = 1000  # past windows, and deeds, that one answer has

Question = (
    Status
    | WindowList
    | WindowGet
    | WindowPlan
    | PagePreview
    | HistoryList
    | EventsSubscribe
    | DaemonVersion
)


class Remembers(Protocol):
    """What is asked of a journal."""

    def get(self, name: str) -> Deferred[Window | None]:
        """The window of that id, also a final one."""

    def past(self, site: str | None, limit: int) -> Deferred[tuple[Window, ...]]:
        """The last final windows."""


class Serves(Protocol):
    """What is asked of the edge."""

    def active(self) -> Deferred[Sequence[Active]]:
        """Requests in flight, by member; more than one line of a member add up."""

    def shown(self) -> Sequence[ShownCertificate]:
        """The certificates that the sites show."""

    def workers(self) -> Sequence[WorkerSeen]:
        """The processes that serve visitors; none where this one does."""

    def numbers(self) -> Deferred[EdgeNumbers]:
        """What all edges have counted."""

    def settled(self) -> Deferred[None]:
        """Fires when all that was published until now is in force everywhere."""


class Reading:
    """Answers questions, and says what is so to those who change it."""

    def __init__(self, truth: Truth, journal: Remembers, stream: Stream, edge: Serves) -> None:
        self._truth = truth
        self._journal = journal
        self._stream = stream
        self._edge = edge
        self._started = truth.now()
        sorryd_version()  # another one may be installed later

    @property
    def started(self) -> str:
        """Since when this daemon runs."""
        return instant(self._started, self._truth.config.timezone)

    async def answer(self, question: Question) -> Result:
        """The answer, or a ControlError."""
        match question:
            case Status():
                return await self._status(question)
            case WindowList():
                return await self._list(question)
            case WindowGet():
                return await self._get(question)
            case WindowPlan():
                return self._plan(question)
            case PagePreview():
                return await self._preview(question)
            case HistoryList():
                return await self._history(question)
            case EventsSubscribe():
                return await self._begin(question)
            case DaemonVersion():
                return versions(self.started)
            case _:
                assert_never(question)

    # --- what is so ---------------------------------------------------------------------------

    def known(self, named: Window | None = None) -> Known:
        """What is so now, with ends observed that have come; and a window that may be over."""
        truth, more = self._truth, () if named is None else (named,)
        truth.look()
        return Known(
            config=truth.config,
            windows=(*truth.windows, *more),
            now=truth.now(),
            series=truth.series,
            taken=frozenset() if named is None else truth.taken(named.id),
            files=tuple(view.site.name for view in truth.snapshot.sites if view.file is not None),
        )

    async def find(self, name: str) -> Window | None:
        """The window of that id, also one that is over."""
        return self._truth.find(name) or await self._journal.get(self._truth.spelled(name))

    def shown(self, window: Window, warnings: tuple[str, ...] = ()) -> WindowResult:
        """A window as it is."""
        coming = None
        if window.every is not None and not window.is_final:
            coming = following(self._truth.windows).get(window.id)
        return window_result(window, self.scene(), warnings, coming)

    def rehearsed(self, window: Window, warnings: tuple[str, ...]) -> DryRunResult:
        """A window as it would be, were it planned."""
        plan = tuple(rehearsed(self.outlook(self.known()), window))
        fields = asdict(self.shown(window, warnings))
        return DryRunResult(**{**fields, "plan": plan})

    def outlook(self, known: Known) -> Outlook:
        """What planning may know."""
        return Outlook(
            config=known.config, windows=known.windows, series=known.series, now=known.now
        )

    async def loaded(self) -> Scene:
        """All that an answer may tell of sites and members."""
        active = await self._edge.active()
        return replace(self.scene(), loads=loads(active))

    def scene(self) -> Scene:
        """All that an answer may tell, but for the requests in flight."""
        truth = self._truth
        views = truth.snapshot.sites
        return Scene(
            config=truth.config,
            now=truth.now(),
            views=views,
            standings={view.site.name: truth.standing(view.site) for view in views},
            loads={},
            certificates=tuple(self._edge.shown()),
        )

    # --- questions ----------------------------------------------------------------------------

    async def _status(self, question: Status) -> StatusResult:
        decisions.check_site(self.known(), question.site)
        scene = await self.loaded()
        if question.ahead is not None:
            seconds = wanted_ahead(question.ahead)
            until, series = scene.now + seconds, self._truth.series
            views = tuple(further(view, series, scene.now, until) for view in scene.views)
            scene = replace(scene, ahead=seconds, views=views)
        zone = scene.config.timezone
        return StatusResult(
            version=sorryd_version(),
            pid=os.getpid(),
            started=self.started,
            now=instant(scene.now, zone),
            sites=site_statuses(scene, question.site),
            workers=tuple(worker_status(one, zone) for one in self._edge.workers()),
        )

    async def _list(self, question: WindowList) -> tuple[WindowResult, ...]:
        decisions.check_site(self.known(), question.site)
        windows: dict[str, Window] = {}
        if question.past:
            windows |= {one.id: one for one in await self._journal.past(question.site, _MOST)}
            # The journal may not know of an end yet that has come.
            windows |= {one.id: one for one in self._truth.unsaved}
        windows |= {one.id: one for one in self._listed()}
        wanted = [
            window
            for window in windows.values()
            if (question.past or not window.is_final)
            and (question.site is None or window.site in (None, question.site))
        ]
        scene, coming = self.scene(), following(self._truth.windows)
        wanted.sort(key=lambda window: (coming.get(window.id, window).start, window.id))
        return tuple(
            window_result(window, scene, coming=coming.get(window.id)) for window in wanted
        )

    def _listed(self) -> Iterator[Window]:
        """Windows and series; of instances those that are open, or were changed by themselves."""
        now = self._truth.now()
        for window in self._truth.windows:
            if window.series is None or self._truth.is_kept(window) or acts(window, now):
                yield window
        for one in self._truth.series:
            yield one.window

    async def _get(self, question: WindowGet) -> WindowResult:
        return self.shown(await self._named(question.id))

    async def _named(self, name: str) -> Window:
        window = await self.find(name)
        if window is None:
            raise no_window(name, self._truth.windows, self._truth.config)
        return window

    async def _preview(self, question: PagePreview) -> PreviewResult:
        decisions.check_site(self.known(), question.site)
        window = None if question.window is None else await self._named(question.window)
        if window is not None and window.every is not None:  # the next of the series
            window = following(self._truth.windows).get(window.id, window)
        views = {view.site.name: view for view in self._truth.snapshot.sites}
        name = preview.chosen(question.site, window, tuple(views))
        if name not in views:  # a window may be of a site that is gone since
            raise not_found(f"there is no site {name} in the configuration", "window")
        view = views[name]
        held = self._truth.standing(view.site)
        return preview.preview(question, view, held, window, self._truth.now())

    def _plan(self, question: WindowPlan) -> PlanResult:
        known = self.known()
        decisions.check_site(known, question.site)
        until = known.now + question.days * _DAY
        outlook = self.outlook(known)
        windows = coming(outlook, question.site, known.now, until)
        zone = zone_of(known.config, question.site)
        return PlanResult(
            from_=instant(known.now, zone),
            until=instant(until, zone),
            windows=tuple(planned(outlook, windows[:MOST], question.site)),
            more=len(windows) > MOST,
        )

    async def _history(self, question: HistoryList) -> HistoryResult:
        config = self._truth.config
        zone = zone_named(config, question.site)
        since = past_instant(question.since, self._truth.now(), zone)
        entries = await self._stream.newest(question.site, _MOST + 1, since, question.all)
        if not any(entry.site == question.site for entry in entries):  # a site may be gone since
            decisions.check_site(self.known(), question.site)
        return HistoryResult(
            entries=tuple(deed(entry, config) for entry in entries[-_MOST:]),
            more=len(entries) > _MOST,
        )

    async def _begin(self, question: EventsSubscribe) -> SubscribeResult:
        decisions.check_site(self.known(), question.site)
        tail = await self._stream.tail(question.site)
        after = tail.last if question.after is None else question.after
        if after > tail.last:
            text = f"after: the last event is {tail.last}: is {after} of another journal?"
            raise invalid_params(text, "after")
        if after < tail.pruned and question.after is not None:
            text = f"after: events up to {tail.pruned} are not kept whole any more"
            raise invalid_params(text, "after")
        return SubscribeResult(cursor=after)
