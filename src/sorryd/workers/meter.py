"""What a worker in a process of its own was asked, and what it has counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from sorryd.numbers import EdgeNumbers
from sorryd.policy.totals import counted, still_there, together
from sorryd.snapshot import Snapshot

T = TypeVar("T")

EVERY: Final = 1.0
"""Seconds between two questions that nobody asked: what one that is killed loses at most."""

MANY: Final = 1000
"""Members for each of these seconds: so many take a worker some 3 ms to tell of, in which none of
its visitors has a turn."""

WAIT: Final = 2.0
"""Seconds in which a worker must say what it is asked; else what it said last counts."""


class Ledger:
    """What processes that have ended had counted. Mutable: one per daemon."""

    def __init__(self) -> None:
        self.past = EdgeNumbers()

    def keep(self, numbers: EdgeNumbers) -> None:
        """A process has ended."""
        self.past = together((self.past, counted(numbers)))

    def forget(self, snapshot: Snapshot) -> None:
        """Keep nothing of what is configured no more."""
        self.past = still_there(self.past, snapshot)


class Asked(Generic[T]):
    """Something that a process is asked for, and `last` what it said. Mutable."""

    def __init__(self, reactor: IReactorTime, last: T) -> None:
        self.last = last
        self._reactor = reactor
        self._waiting: list[Deferred[T]] = []

    def ask(self, ask: Callable[[], None]) -> Deferred[T]:
        """`ask` the process; the answer, or what it said last where none comes."""
        waiting: Deferred[T] = Deferred()
        waiting.addTimeout(WAIT, self._reactor, lambda _, __: self.last)
        self._waiting.append(waiting)
        ask()
        return waiting

    def heard(self, said: T) -> None:
        """The process said so, or it is gone, and this is so then."""
        self.last = said
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.called:
                one.callback(said)


class Meter(Asked[EdgeNumbers]):
    """What a worker has counted, whatever becomes of its processes."""

    def __init__(self, reactor: IReactorTime, ledger: Ledger) -> None:
        super().__init__(reactor, EdgeNumbers())
        self._ledger = ledger
        self._asked_at = reactor.seconds()

    @property
    def is_due(self) -> bool:
        """Whether it should be asked, though nobody wants to know."""
        members = sum(len(site.members) for site in self.last.sites)
        return self._reactor.seconds() >= self._asked_at + EVERY * max(1.0, members / MANY)

    def ask(self, ask: Callable[[], None]) -> Deferred[EdgeNumbers]:
        """See Asked."""
        self._asked_at = self._reactor.seconds()
        return super().ask(ask)

    def ended(self) -> None:
        """The process is gone; the next one counts from 0."""
        self._ledger.keep(self.last)
        self.heard(EdgeNumbers())
