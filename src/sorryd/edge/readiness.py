"""When a file descriptor can be read or written.

On Linux the edge has an epoll of its own, and the reactor watches just that one descriptor: a
whole batch of events then costs the reactor one, and all reactors are equally fast: a request
through epollreactor costs what one through uvloop does, and 3 % less than with readiness
straight from uvloop's loop. Elsewhere the reactor watches each descriptor. Neither the
transports nor the protocols know which.
"""

from __future__ import annotations

import os
import select
from typing import Final, Protocol, cast

from twisted.internet.interfaces import IReactorFDSet, IReactorTime, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import classImplements

from sorryd.edge.reactor_readiness import ReactorReadiness
from sorryd.edge.rest import Rest, nothing
from sorryd.edge.soon import PutOff, Ready

log = Logger(namespace=__name__)

BATCH: Final = 256
"""Events taken at one look."""

ROUNDS: Final = 4096
"""Looks in one turn of the reactor ..."""

SPELL: Final = 0.004
"""... which is asked what else it has to do when so many seconds are over ..."""

TURN: Final = 0.025
"""... and again after as many, or when it has a timer: unless it has nothing, the turn is over."""

LONGEST: Final = 0.1
"""So it is after so many: a descriptor that the reactor got meanwhile is not watched before."""

LULL: Final = 0.001
"""Seconds that another event is waited for, once there was one; the least that epoll knows."""

# epoll(7): select has them only where there is an epoll.
_IN: Final = 0x001
_OUT: Final = 0x004


class Readiness(Protocol):
    """Calls back, level-triggered, while a watched descriptor is ready or has failed."""

    def watch_read(self, fd: int, ready: Ready) -> None:
        """Call `ready` whenever `fd` can be read."""

    def watch_failure(self, fd: int, ready: Ready) -> None:
        """Call `ready` once `fd`, of which nothing is left to read, has failed or is closed.

        In place of `watch_read`, and stopped as that is. Told by epoll alone.
        """

    def unwatch_read(self, fd: int) -> None:
        """Stop it; not an error where `fd` is not watched."""

    def watch_write(self, fd: int, ready: Ready) -> None:
        """Call `ready` whenever `fd` can be written."""

    def unwatch_write(self, fd: int) -> None:
        """Stop it; not an error where `fd` is not watched."""

    def leave(self, fd: int) -> None:
        """Stop both: `fd` is closed in this turn. Not an error where it is not watched."""

    def soon(self, call: Ready) -> None:
        """Call `call` after what is being done now."""


class EpollReadiness:
    """An epoll of its own, and one descriptor for the reactor."""

    def __init__(
        self,
        reactor: IReactorFDSet,
        clock: IReactorTime,
        rounds: int = 1,
        rest: Rest | None = None,
    ) -> None:
        """`rounds`: so many looks for events, at most, in one turn of the reactor.

        `rest`: what else that does; None where it can't be told.
        """
        self._reactor = reactor
        self._clock = clock
        self._rounds = rounds
        self._rest = nothing() if rest is None else rest
        self._epoll = select.epoll()
        self._readers: dict[int, Ready] = {}
        self._writers: dict[int, Ready] = {}
        self._failures_only: set[int] = set()  # of the readers
        # Not by callLater(0): libuv before 1.45 does not poll between a timer and the next one
        # that is due at once, so that nobody would be heard as long as somebody goes on.
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_rung = self._is_closed = False
        self._epoll.register(self._bell, select.EPOLLIN)
        self._soon = PutOff(self._ring)
        self.soon = self._soon.add
        reactor.addReader(cast(IReadDescriptor, self))

    def close(self) -> None:
        """Watch nothing any more."""
        self._is_closed = True
        self._reactor.removeReader(cast(IReadDescriptor, self))
        self._epoll.close()
        os.close(self._bell)

    def _ring(self) -> None:
        self._is_rung = True
        os.eventfd_write(self._bell, 1)

    # --- what the reactor asks ---

    def fileno(self) -> int:
        return self._epoll.fileno()

    def logPrefix(self) -> str:
        return "sorryd"

    def connectionLost(self, reason: Failure) -> None:
        pass  # an epoll does not end before `close`

    def doRead(self) -> None:
        """Call all that is ready, and what becomes so meanwhile, or a moment later.

        A turn of the reactor costs as much as a whole request: an answer that comes while its
        request is hardly sent need not wait for the next one.
        """
        wait, began = 0.0, self._clock.seconds()
        idle, end = began, began + SPELL
        for _ in range(self._rounds):
            events = self._epoll.poll(wait, BATCH)
            if not events:
                return
            self._serve(events)
            now = self._clock.seconds()
            if now >= end:
                if self._rest.is_idle():
                    idle = now
                end = min(idle + TURN, now + self._rest.due(), began + LONGEST)
            if now >= end or self._is_closed:
                return
            wait = LULL

    def _serve(self, events: list[tuple[int, int]]) -> None:
        """Call whom `events` are for.

        A callback may close a descriptor whose event is still to come, and its number may be
        another connection's by then: that one is woken for nothing, which level-triggered
        callbacks bear.
        """
        readers, writers = self._readers, self._writers
        self._soon.in_batch = True
        for fd, event in events:
            try:
                if event != _OUT and (ready := readers.get(fd)) is not None:
                    ready()
                if event != _IN and (ready := writers.get(fd)) is not None:
                    ready()
            except Exception:
                log.failure("a bug in the data path")
        self._soon.in_batch = False
        if self._is_rung:
            self._is_rung = False
            os.eventfd_read(self._bell)
        self._soon.run()

    # --- what transports ask ---

    def watch_read(self, fd: int, ready: Ready) -> None:
        if fd in self._failures_only:
            self.unwatch_read(fd)
        known = fd in self._readers
        self._readers[fd] = ready
        if not known:
            self._watch(fd, fd in self._writers)

    def watch_failure(self, fd: int, ready: Ready) -> None:
        self.unwatch_read(fd)
        self._readers[fd] = ready
        self._failures_only.add(fd)
        self._watch(fd, fd in self._writers)

    def unwatch_read(self, fd: int) -> None:
        if self._readers.pop(fd, None) is not None:
            self._failures_only.discard(fd)
            self._watch(fd, True)

    def watch_write(self, fd: int, ready: Ready) -> None:
        known = fd in self._writers
        self._writers[fd] = ready
        if not known:
            self._watch(fd, fd in self._readers)

    def unwatch_write(self, fd: int) -> None:
        if self._writers.pop(fd, None) is not None:
            self._watch(fd, True)

    def leave(self, fd: int) -> None:
        # The kernel forgets it when it is closed: a system call less for each connection.
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)
        self._failures_only.discard(fd)

    def _watch(self, fd: int, known: bool) -> None:
        """Tell the kernel what is watched of `fd`; nothing at all where nobody would listen,
        since failure is always told."""
        reads, fails = fd in self._readers, fd in self._failures_only
        events = (select.EPOLLIN if reads and not fails else 0) | (
            select.EPOLLOUT if fd in self._writers else 0
        )
        if not known:
            self._epoll.register(fd, events)
        elif events or fails:
            self._epoll.modify(fd, events)
        else:
            self._epoll.unregister(fd)


# Not by a decorator, with which a class can't be compiled (building/compiled.py).
classImplements(EpollReadiness, IReadDescriptor)


def readiness_of(
    reactor: IReactorFDSet, clock: IReactorTime, rest: Rest | None = None
) -> EpollReadiness | ReactorReadiness:
    """The fastest readiness there is; `clock` is the same reactor, `rest` what else it does."""
    if hasattr(select, "epoll"):
        return EpollReadiness(reactor, clock, ROUNDS, rest)
    return ReactorReadiness(reactor, clock)
