"""Requests of the control socket, carried out.

A change is decided against what is so, committed to the journal, applied to the truth and only
then answered. Changes run strictly one after another, so that each is decided on what the one
before it has committed; one that the journal refuses leaves everything as it was. Requests
that only read wait for none of that.

Who may change what is checked before a request comes here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NoReturn, Protocol, TypeVar, assert_never

from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.control import bypass, decisions, decisions_members, upgrading
from sorryd.control.answers import member_result, site_statuses
from sorryd.control.chronicle import tell_deed
from sorryd.control.counting import Counting
from sorryd.control.decisions import Decision
from sorryd.control.missing import no_window
from sorryd.control.observed import Commits
from sorryd.control.publishing import Aside, Publishing, at_once
from sorryd.control.reading import Reading, Remembers, Serves
from sorryd.control.reloading import NOBODY, Hears, Only, Prepares, Reload
from sorryd.control.revisions import revised
from sorryd.control.truth import Truth
from sorryd.control.upgrading import Upgrade, Upgrades
from sorryd.errors import ControlError, ErrorCode, not_found
from sorryd.journal import HistoryEntry, JournalError, WindowPut
from sorryd.messages import (
    CalendarGet,
    DaemonReload,
    DaemonUpgrade,
    DaemonVersion,
    EventsSubscribe,
    HistoryList,
    MemberSet,
    NumbersGet,
    PagePreview,
    Request,
    SiteBypass,
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
)
from sorryd.policy.bypass import bypass_key
from sorryd.replies import MemberResult, ReloadResult, Result, SiteStatus, WindowResult
from sorryd.replies_bypass import BypassResult
from sorryd.stream import Stream
from sorryd.window import Author

_log = Logger(namespace="sorryd.control")
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none is mistaken for another
T = TypeVar("T")


class Keeps(Commits, Remembers, Protocol):
    """What the commands need of a journal."""


def new_name() -> str:
    """A short id for a window that nobody named."""
    return "w" + "".join(secrets.choice(_LETTERS) for _ in range(4))


class Commands:
    """Carries out requests.

    `prepares` is asked for new configurations; `own_key` is the daemon's secret, for links. What
    takes long and touches nothing is done `aside`. Somebody else `hears` of reloads.
    """

    def __init__(
        self,
        truth: Truth,
        journal: Keeps,
        stream: Stream,
        edge: Serves,
        prepares: Prepares,
        own_key: bytes,
        new_name: Callable[[], str] = new_name,
        aside: Aside = at_once,
        hears: Hears = NOBODY,
        upgrades: Upgrades = upgrading.NONE,
    ) -> None:
        self._truth = truth
        self._journal = journal
        self._edge = edge
        self._reading = Reading(truth, journal, stream, edge)
        self._publishing = Publishing(truth, journal, self._reading, aside)
        self._counting = Counting(self._reading, edge)
        self._own_key = own_key
        self._new_name = new_name
        self._turn = DeferredLock()
        only, started = Only(), self._reading.started
        self._reload = Reload(truth, journal, prepares, self._turn, hears, only)
        self._upgrade = Upgrade(truth, journal, prepares, upgrades, self._turn, started, only)

    def execute(self, request: Request, author: Author) -> Deferred[Result]:
        """The result of `request`, or a ControlError."""

        def begin() -> Deferred[Result]:
            return Deferred.fromCoroutine(self._answer(request, author))

        takes_turn = is_change(request) and not isinstance(request, DaemonReload | DaemonUpgrade)
        return _refused(self._turn.run(begin) if takes_turn else begin())

    def reload(self, signal: str) -> Deferred[ReloadResult]:
        """Reload because of a `signal` of that name; the result, or a ControlError."""
        return _refused(self._reload.run(None, signal))

    async def _answer(self, request: Request, author: Author) -> Result:
        match request:
            case (
                Status()
                | WindowList()
                | WindowGet()
                | WindowPlan()
                | PagePreview()
                | HistoryList()
                | EventsSubscribe()
                | DaemonVersion()
            ):
                return await self._reading.answer(request)
            case NumbersGet():
                return await self._counting.numbers(request)
            case SiteDown() | SiteUp():
                return await self._change_sites(request, author)
            case WindowSchedule():
                return await self._schedule(request, author)
            case WindowExtend() | WindowEnd() | WindowCancel():
                return await self._change_window(request, author)
            case MemberSet():
                return await self._set_member(request, author)
            case SiteBypass():
                return await self._bypass(request, author)
            case DaemonReload():
                return await self._reload.run(author)
            case DaemonUpgrade():
                return await self._upgrade.run(author)
            case CalendarGet():
                return await self._publishing.calendar(request)
            case _:
                assert_never(request)

    # --- changing -----------------------------------------------------------------------------

    async def _change_sites(
        self, request: SiteDown | SiteUp, author: Author
    ) -> tuple[SiteStatus, ...]:
        name = await self._free_name()
        known = self._reading.known()
        if isinstance(request, SiteDown):
            decision, reason = decisions.down(known, request, author, name), request.reason
        else:
            decision, reason = decisions.up(known, request), ""
        await self._carry_out(decision, self._deed(request, author, request.site, reason))
        return site_statuses(await self._reading.loaded(), request.site, decision.warnings)

    async def _schedule(self, request: WindowSchedule, author: Author) -> WindowResult:
        name = request.id or await self._free_name()
        known = self._reading.known(await self._reading.find(name))
        decision = decisions.schedule(known, request, author, name)
        if request.dry_run:
            assert decision.window is not None
            return self._reading.rehearsed(decision.window, decision.warnings)
        entry = self._deed(request, author, request.site, request.reason, window=name)
        await self._carry_out(decision, entry)
        return self._shown(decision)

    async def _change_window(
        self, request: WindowExtend | WindowEnd | WindowCancel, author: Author
    ) -> WindowResult:
        request = replace(request, id=self._truth.spelled(request.id))
        known = self._reading.known(await self._reading.find(request.id))
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
        name = None if decision.window is None else decision.window.id
        await self._carry_out(decision, self._deed(request, author, site, window=name))
        return self._shown(decision)

    async def _set_member(self, request: MemberSet, author: Author) -> MemberResult:
        site, member = decisions_members.find_member(self._reading.known(), request)
        old = self._truth.setting(site.name, member.url)
        decision = decisions_members.set_member(old, request)
        await self._carry_out(decision, self._deed(request, author, site.name))
        return member_result(site.name, member.url, await self._reading.loaded())

    async def _bypass(self, request: SiteBypass, author: Author) -> BypassResult:
        """A link changes nothing; that it was made is written down all the same."""
        known = self._reading.known()
        name = bypass.site_of(request, known.config)
        decisions.check_site(known, name)
        window = None
        if request.window is not None:
            window = await self._reading.find(request.window)
            if window is None:
                missing = no_window(request.window, known.windows, known.config)
                raise not_found(missing.message, "window")
        (view,) = (one for one in self._truth.snapshot.sites if one.site.name == name)
        target = bypass.target(view, self._truth.standing(view.site), window)
        entry = self._deed(request, author, name)
        id_ = None if target.window is None else target.window.id
        await self._journal.commit((), replace(entry, window=id_))
        key = bypass_key(view.site.bypass_secret, self._own_key)
        return bypass.result(target, key, entry.at)

    async def _carry_out(self, decision: Decision, entry: HistoryEntry) -> None:
        """To the journal first, and only then so."""
        if not decision.changes:
            return
        decision = revised(decision, entry.at)
        names = [change.window.id for change in decision.changes if isinstance(change, WindowPut)]
        entry = decision.entry(entry)
        with self._truth.reserved(frozenset(names)):
            await self._journal.commit(decision.changes, entry)
        tell_deed(entry)
        self._truth.apply(decision.changes)
        await self._edge.settled()

    async def _free_name(self) -> str:
        while True:
            name = self._new_name()
            if await self._reading.find(name) is None:
                return name

    def _shown(self, decision: Decision) -> WindowResult:
        assert decision.window is not None
        return self._reading.shown(decision.window, decision.warnings)

    def _deed(
        self,
        request: Request,
        author: Author,
        site: str | None,
        reason: str = "",
        window: str | None = None,
    ) -> HistoryEntry:
        return HistoryEntry(
            at=self._truth.now(),
            verb=request.method,
            author=author,
            site=site,
            window=window,
            reason=reason,
        )


def _refused(done: Deferred[T]) -> Deferred[T]:
    """`done`; what the journal refuses is refused, in its words."""
    return done.addErrback(_without_journal)


def _without_journal(failure: Failure) -> NoReturn:
    failure.trap(JournalError)
    words = failure.getErrorMessage()
    _log.error("the journal failed: {words}", words=words)
    raise ControlError(ErrorCode.INTERNAL_ERROR, f"nothing was changed: {words}")
