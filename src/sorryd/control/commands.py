"""Requests of the control socket, carried out.

A change is decided against what is so, committed to the journal, applied to the truth and only
then answered. Changes run strictly one after another, so that each is decided on what the one
before it has committed; one that the journal refuses leaves everything as it was. Requests
that only read are answered at once from the truth, and do not wait for a disk.

Who may change what is checked before a request comes here.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol, assert_never

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.control import decisions
from sorryd.control.answers import (
    Scene,
    deed,
    instant,
    loads,
    member_result,
    site_status,
    window_result,
)
from sorryd.control.chronicle import tell_deed
from sorryd.control.decisions import Decision, Known
from sorryd.control.truth import Truth
from sorryd.control.versions import sorryd_version, versions
from sorryd.journal import Change, HistoryEntry, JournalError, WindowPut
from sorryd.messages import (
    ControlError,
    DaemonReload,
    DaemonVersion,
    ErrorCode,
    EventsSubscribe,
    HistoryList,
    MemberSet,
    PagePreview,
    Request,
    SiteDown,
    SiteUp,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowGet,
    WindowList,
    WindowPlan,
    WindowSchedule,
    is_change,
    not_found,
)
from sorryd.model import (
    Author,
    Window,
)
from sorryd.replies import (
    HistoryResult,
    MemberResult,
    Result,
    SiteStatus,
    StatusResult,
    WindowResult,
)
from sorryd.reports import (
    Active,
)

_MOST = 1000  # past windows, and deeds, that one answer has
_log = Logger(namespace="sorryd.control")
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none is mistaken for another


class Keeps(Protocol):
    """What the commands need of a journal."""

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        """Write it all or nothing; fires when it is on disk."""

    def get(self, name: str) -> Deferred[Window | None]:
        """The window of that id, also a final one."""

    def past(self, site: str | None, limit: int) -> Deferred[tuple[Window, ...]]:
        """The last final windows."""

    def history(self, site: str | None, limit: int) -> Deferred[tuple[HistoryEntry, ...]]:
        """The last deeds, oldest first."""


def new_name() -> str:
    """A short id for a window that nobody named."""
    return "w" + "".join(secrets.choice(_LETTERS) for _ in range(4))


class Commands:
    """Carries out requests. `active` gives the requests in flight, by member."""

    def __init__(
        self,
        truth: Truth,
        journal: Keeps,
        active: Callable[[], Sequence[Active]],
        new_name: Callable[[], str] = new_name,
    ) -> None:
        self._truth = truth
        self._journal = journal
        self._active = active
        self._new_name = new_name
        self._turn = DeferredLock()

    def execute(self, request: Request, author: Author) -> Deferred[Result]:
        """The result of `request`, or a ControlError."""

        def begin() -> Deferred[Result]:
            return Deferred.fromCoroutine(self._answer(request, author))

        done: Deferred[Result] = self._turn.run(begin) if is_change(request) else begin()
        return done.addErrback(_without_journal)

    async def _answer(self, request: Request, author: Author) -> Result:
        match request:
            case Status():
                return self._status(request)
            case WindowList():
                return await self._list(request)
            case WindowGet():
                return await self._get(request)
            case HistoryList():
                return await self._history(request)
            case DaemonVersion():
                return versions()
            case SiteDown() | SiteUp():
                return await self._change_sites(request, author)
            case WindowSchedule():
                return await self._schedule(request, author)
            case WindowExtend() | WindowEnd() | WindowCancel():
                return await self._change_window(request, author)
            case MemberSet():
                return await self._set_member(request, author)
            case WindowPlan() | PagePreview() | EventsSubscribe() | DaemonReload():
                text = f"{request.method}: not supported yet"
                raise ControlError(ErrorCode.METHOD_NOT_FOUND, text, "method")
            case _:
                assert_never(request)

    # --- reading ------------------------------------------------------------------------------

    def _status(self, request: Status) -> StatusResult:
        decisions.check_site(self._known(), request.site)
        scene = self._scene()
        return StatusResult(
            version=sorryd_version(),
            pid=os.getpid(),
            now=instant(scene.now, scene.config.timezone),
            sites=_sites(scene, request.site),
        )

    async def _list(self, request: WindowList) -> tuple[WindowResult, ...]:
        decisions.check_site(self._known(), request.site)
        windows: dict[str, Window] = {}
        if request.past:
            windows |= {one.id: one for one in await self._journal.past(request.site, _MOST)}
        # The journal may not know of an end yet that has come.
        windows |= {one.id: one for one in self._truth.windows}
        wanted = [
            window
            for window in windows.values()
            if (request.past or not window.is_final)
            and (request.site is None or window.site in (None, request.site))
        ]
        wanted.sort(key=lambda window: (window.start, window.id))
        scene = self._scene()
        return tuple(window_result(window, scene) for window in wanted)

    async def _get(self, request: WindowGet) -> WindowResult:
        window = await self._find(request.id)
        if window is None:
            raise not_found(f"there is no window {request.id}", "id")
        return window_result(window, self._scene())

    async def _history(self, request: HistoryList) -> HistoryResult:
        entries = await self._journal.history(request.site, _MOST)
        if not any(entry.site == request.site for entry in entries):  # a site may be gone since
            decisions.check_site(self._known(), request.site)
        return HistoryResult(entries=tuple(deed(entry, self._truth.config) for entry in entries))

    # --- changing -----------------------------------------------------------------------------

    async def _change_sites(
        self, request: SiteDown | SiteUp, author: Author
    ) -> tuple[SiteStatus, ...]:
        name = await self._free_name()
        known = self._known()
        if isinstance(request, SiteDown):
            decision, reason = decisions.down(known, request, author, name), request.reason
        else:
            decision, reason = decisions.up(known, request), ""
        await self._carry_out(decision, self._deed(request, author, request.site, reason))
        return _sites(self._scene(), request.site, decision.warnings)

    async def _schedule(self, request: WindowSchedule, author: Author) -> WindowResult:
        name = request.id or await self._free_name()
        known = self._known(await self._find(name))
        decision = decisions.schedule(known, request, author, name)
        if not request.dry_run:
            entry = self._deed(request, author, request.site, request.reason)
            await self._carry_out(decision, entry)
        return self._shown(decision)

    async def _change_window(
        self, request: WindowExtend | WindowEnd | WindowCancel, author: Author
    ) -> WindowResult:
        known = self._known(await self._find(request.id))
        match request:
            case WindowExtend():
                decision = decisions.extend(known, request)
            case WindowEnd():
                decision = decisions.end(known, request)
            case WindowCancel():
                decision = decisions.cancel(known, request)
            case _:
                assert_never(request)
        site = None if decision.window is None else decision.window.site
        await self._carry_out(decision, self._deed(request, author, site))
        return self._shown(decision)

    async def _set_member(self, request: MemberSet, author: Author) -> MemberResult:
        site, member = decisions.find_member(self._known(), request)
        old = self._truth.setting(site.name, member.url)
        decision = decisions.set_member(old, request)
        await self._carry_out(decision, self._deed(request, author, site.name))
        return member_result(site.name, member.url, self._scene())

    async def _carry_out(self, decision: Decision, entry: HistoryEntry) -> None:
        """To the journal first, and only then so."""
        if not decision.changes:
            return
        names = [change.window.id for change in decision.changes if isinstance(change, WindowPut)]
        entry = decision.entry(entry)
        with self._truth.reserved(frozenset(names)):
            await self._journal.commit(decision.changes, entry)
        tell_deed(entry)
        self._truth.apply(decision.changes)

    # --- what is so ---------------------------------------------------------------------------

    def _known(self, named: Window | None = None) -> Known:
        """What is so now, with ends observed that have come; and a window that may be over."""
        self._truth.look()
        more = () if named is None else (named,)
        windows = (*self._truth.windows, *more)
        return Known(config=self._truth.config, windows=windows, now=self._truth.now())

    async def _find(self, name: str) -> Window | None:
        """The window of that id, also one that is over."""
        return self._truth.find(name) or await self._journal.get(name)

    async def _free_name(self) -> str:
        while True:
            name = self._new_name()
            if await self._find(name) is None:
                return name

    def _scene(self) -> Scene:
        truth = self._truth
        views = truth.snapshot.sites
        return Scene(
            config=truth.config,
            now=truth.now(),
            views=views,
            standings={view.site.name: truth.standing(view.site) for view in views},
            loads=loads(self._active()),
        )

    def _shown(self, decision: Decision) -> WindowResult:
        assert decision.window is not None
        return window_result(decision.window, self._scene(), decision.warnings)

    def _deed(
        self, request: Request, author: Author, site: str | None, reason: str = ""
    ) -> HistoryEntry:
        return HistoryEntry(
            at=self._truth.now(), verb=request.method, author=author, site=site, reason=reason
        )


def _sites(scene: Scene, site: str | None, said: tuple[str, ...] = ()) -> tuple[SiteStatus, ...]:
    views = (view for view in scene.views if site in (None, view.site.name))
    return tuple(site_status(view, scene, said) for view in views)


def _without_journal(failure: Failure) -> NoReturn:
    """What the journal refuses is refused, in its words."""
    failure.trap(JournalError)
    words = failure.getErrorMessage()
    _log.error("the journal failed: {words}", words=words)
    raise ControlError(ErrorCode.INTERNAL_ERROR, f"nothing was changed: {words}")
