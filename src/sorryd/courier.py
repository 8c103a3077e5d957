"""Tells one hook of its events: in order, one at a time, until it has taken each.

A courier reads its events from the journal, behind the cursor that is kept there. The cursor
moves when the hook has taken an event, or was tried in vain for long enough: so a daemon that is
killed tells the last one again, and leaves none out. What is told when, and tried again, is
decided in policy/delivery.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from sorryd.control.hook_messages import hook_message
from sorryd.facts import HookFailed
from sorryd.journal import HistoryEntry, JournalError
from sorryd.model import Config, Site
from sorryd.policy import delivery
from sorryd.replies_history import HookMessage
from sorryd.stream import Hook, Stream
from sorryd.times import format_duration

FAILED: Final = "hook.failed"
"""The verb of an event that a hook was not told of."""

_BATCH = 50  # events that are read in one go
_AGAIN = 1.0  # seconds between two questions to a journal that fails

_log = Logger()


class Delivery(Protocol):
    """One event on its way to one hook."""

    @property
    def done(self) -> Deferred[str | None]:
        """Fires with None when the hook has taken it, else with why not."""

    def terminate(self) -> None:
        """End it now; `done` fires soon."""


Send = Callable[[Site, HookMessage, bytes], Delivery]


class Means(Protocol):
    """What couriers need. `send` brings an event to a site's hook, `wall` is the wall clock."""

    reactor: Any
    stream: Stream
    send: Send
    wall: Callable[[], float]
    chance: Callable[[], float]


class Courier:
    """Tells one hook of the events behind its cursor `after`; begins with `proceed`."""

    def __init__(self, means: Means, hook: Hook, after: int, site: Site, config: Config) -> None:
        self._means = means
        self._hook = hook
        self._after = after
        self._site = site
        self._config = config
        self._has_grown = False
        self._is_running = False
        self._is_stopped = False
        self._old = 0  # events too old to be told, of which the log knows nothing yet
        self._is_catching_up = True  # what is read has waited for this start
        self._delivery: Delivery | None = None
        self._sleep: tuple[Deferred[None], IDelayedCall] | None = None
        self._idle: list[Deferred[None]] = []

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._is_running

    def use(self, site: Site, config: Config) -> None:
        """The site, and all of the configuration, are like this now."""
        self._site, self._config = site, config

    def idle(self) -> Deferred[None]:
        """Fires when nothing is under way."""
        if not self._is_running:
            return succeed(None)
        self._idle.append(Deferred())
        return self._idle[-1]

    def stop(self) -> None:
        """Begin nothing more."""
        self._is_stopped = True
        if self._sleep is not None:
            waiting, call = self._sleep
            call.cancel()
            self._sleep = None
            waiting.callback(None)

    def terminate(self) -> None:
        """End what is under way."""
        if self._delivery is not None:
            self._delivery.terminate()

    def proceed(self) -> None:
        """There may be something to tell."""
        self._has_grown = True
        if not (self._is_running or self._is_stopped):
            self._is_running = True
            Deferred.fromCoroutine(self._run()).addErrback(
                lambda why: _log.failure("a bug in the hook of {site}", why, site=self._hook[0])
            )

    async def _run(self) -> None:
        try:
            while self._has_grown and not self._is_stopped:
                self._has_grown = False
                await self._tell_next()
        finally:
            self._is_running = False
            idle, self._idle = self._idle, []
            for one in idle:
                one.callback(None)

    async def _tell_next(self) -> None:
        try:
            entries = await self._means.stream.following(
                self._after, self._hook[0], _BATCH, delivery.TOLD
            )
        except JournalError as why:
            _log.error("the events for the hook of {site} can't be read: {why}",
                       site=self._hook[0], why=why)  # fmt: skip
            self._has_grown = True
            await self._wait(_AGAIN)
            return
        for entry in entries:
            if self._is_stopped:
                return
            if self._is_catching_up and delivery.is_no_news(self._means.wall() - entry.at):
                self._old += 1
                self._after = entry.seq
                continue
            await self._say_old()
            await self._tell(entry)
        self._has_grown |= bool(entries)
        if not entries:
            await self._say_old()

    async def _say_old(self) -> None:
        """All that follows is news."""
        self._is_catching_up = False
        if self._old:
            _log.warn("the hook of {site} is not told of {count} events of more than a day ago",
                      site=self._hook[0], count=self._old)  # fmt: skip
            self._old = 0
            await self._keep(self._after)

    async def _tell(self, entry: HistoryEntry) -> None:
        """Tell the hook of one event, until it has taken it or that was in vain for too long."""
        began, tries = self._means.reactor.seconds(), 0
        while (why := await self._try(entry)) is not None:
            tries += 1
            if self._is_stopped:
                return
            tried_for = self._means.reactor.seconds() - began
            if delivery.gives_up(tries, tried_for, self._means.wall() - entry.at):
                await self._give_up(entry, tries, why)
                return
            pause = delivery.pause(tries, self._means.chance())
            _log.warn("the hook of {site} was not told of event {seq}: {why}; again in {pause}",
                      site=self._hook[0], seq=entry.seq, why=why,
                      pause=format_duration(round(pause, 1)))  # fmt: skip
            await self._wait(pause)
            if self._is_stopped:
                return
        await self._keep(entry.seq)

    async def _try(self, entry: HistoryEntry) -> str | None:
        message = hook_message(entry, self._site, self._config)
        sent = self._delivery = self._means.send(self._site, message, msgspec.json.encode(message))
        why = await sent.done
        self._delivery = None
        return why

    async def _give_up(self, entry: HistoryEntry, tries: int, why: str) -> None:
        site, hook = self._hook
        _log.error("the hook of {site} is not told of event {seq} any more, after {tries} tries:"
                   " {why}", site=site, seq=entry.seq, tries=tries, why=why)  # fmt: skip
        failed = HistoryEntry(
            at=self._means.wall(),
            verb=FAILED,
            site=site,
            window=entry.window,
            fact=HookFailed(hook=hook, seq=entry.seq, tries=tries, why=why),
        )
        await self._keep(entry.seq, failed)

    async def _keep(self, seq: int, *entries: HistoryEntry) -> None:
        """Write how far the hook has been told, and before that tell it nothing more."""
        self._after = seq
        while True:
            try:
                await self._means.stream.delivered(self._hook, seq, entries)
                return
            except JournalError as why:
                _log.error("what the hook of {site} was told is not in the journal yet: {why}",
                           site=self._hook[0], why=why)  # fmt: skip
            if self._is_stopped:
                return
            await self._wait(_AGAIN)

    async def _wait(self, seconds: float) -> None:
        waiting: Deferred[None] = Deferred()

        def over() -> None:
            self._sleep = None
            waiting.callback(None)

        self._sleep = waiting, self._means.reactor.callLater(seconds, over)
        await waiting
