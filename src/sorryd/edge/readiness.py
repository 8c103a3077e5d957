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
from collections.abc import Callable
from typing import Final, Protocol, cast

from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorTime,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import classImplements, implementer

log = Logger(namespace=__name__)

Ready = Callable[[], None]

BATCH: Final = 256
"""Events taken in one turn of the reactor, so that its timers have their turn too."""

ROUNDS: Final = 8
"""... and at most so many looks for them."""

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

    def soon(self, call: Ready) -> None:
        """Call `call` after what is being done now."""


class _Soon:
    """Calls put off, in their order. `ring` has `run` called in the next turn."""

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._calls: list[Ready] = []
        self.in_batch = False  # somebody will call `run` anyway

    def add(self, call: Ready) -> None:
        if not (self._calls or self.in_batch):
            self._ring()
        self._calls.append(call)

    def run(self) -> None:
        """Do what was put off until now; what it puts off in its turn waits for the next one, so
        that nobody who always has more to do keeps the others from being heard."""
        if self._calls:
            calls, self._calls = self._calls, []
            for call in calls:
                _safely(call)


def _safely(call: Ready) -> None:
    try:
        call()
    except Exception:
        log.failure("a bug in the data path")


class EpollReadiness:
    """An epoll of its own, and one descriptor for the reactor. It needs no clock."""

    def __init__(self, reactor: IReactorFDSet, clock: IReactorTime, rounds: int = 1) -> None:
        """`rounds`: so many looks for events, at most, in one turn of the reactor."""
        self._reactor = reactor
        self._rounds = rounds
        self._epoll = select.epoll()
        self._readers: dict[int, Ready] = {}
        self._writers: dict[int, Ready] = {}
        self._failures_only: set[int] = set()  # of the readers
        # Not by callLater(0): libuv before 1.45 does not poll between a timer and the next one
        # that is due at once, so that nobody would be heard as long as somebody goes on.
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_rung = self._is_closed = False
        self._epoll.register(self._bell, select.EPOLLIN)
        self._soon = _Soon(self._ring)
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

        A turn of the reactor costs as much as a dozen calls here, and a system call more: an answer
        that comes while its request is hardly sent need not wait for the next one.
        """
        left, wait = BATCH, 0.0
        for _ in range(self._rounds):
            events = self._epoll.poll(wait, left)
            if not events:
                return
            self._serve(events)
            left -= len(events)
            if left <= 0 or self._is_closed:
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


@implementer(IReadDescriptor, IWriteDescriptor)
class _Descriptor:
    """One direction of one descriptor, as the reactor wants it."""

    def __init__(self, fd: int, ready: Ready) -> None:
        self._fd = fd
        self._ready = ready

    def fileno(self) -> int:
        return self._fd

    def logPrefix(self) -> str:
        return "sorryd"

    def doRead(self) -> None:
        _safely(self._ready)

    def doWrite(self) -> None:
        _safely(self._ready)

    def connectionLost(self, reason: Failure) -> None:
        # The reactor saw the descriptor fail: the transport finds out why by using it.
        _safely(self._ready)


class ReactorReadiness:
    """Each descriptor watched by the reactor itself: where there is no epoll."""

    def __init__(self, reactor: IReactorFDSet, clock: IReactorTime) -> None:
        self._reactor = reactor
        self._reading: dict[int, _Descriptor] = {}
        self._writing: dict[int, _Descriptor] = {}
        soon = _Soon(lambda: clock.callLater(0, soon.run))
        self.soon = soon.add

    def close(self) -> None:
        """Watch nothing any more."""
        for fd in tuple(self._reading):
            self.unwatch_read(fd)
        for fd in tuple(self._writing):
            self.unwatch_write(fd)

    def watch_read(self, fd: int, ready: Ready) -> None:
        self.unwatch_read(fd)
        self._reading[fd] = _Descriptor(fd, ready)
        self._reactor.addReader(self._reading[fd])

    def watch_failure(self, fd: int, ready: Ready) -> None:
        self.unwatch_read(fd)

    def unwatch_read(self, fd: int) -> None:
        if (descriptor := self._reading.pop(fd, None)) is not None:
            self._reactor.removeReader(descriptor)

    def watch_write(self, fd: int, ready: Ready) -> None:
        self.unwatch_write(fd)
        self._writing[fd] = _Descriptor(fd, ready)
        self._reactor.addWriter(self._writing[fd])

    def unwatch_write(self, fd: int) -> None:
        if (descriptor := self._writing.pop(fd, None)) is not None:
            self._reactor.removeWriter(descriptor)


def readiness_of(reactor: IReactorFDSet, clock: IReactorTime) -> EpollReadiness | ReactorReadiness:
    """The fastest readiness there is; `clock` is the same reactor."""
    if hasattr(select, "epoll"):
        return EpollReadiness(reactor, clock, ROUNDS)
    return ReactorReadiness(reactor, clock)
