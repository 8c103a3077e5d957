"""When a file descriptor can be read or written: from the reactor, or straight from its loop.

Twisted's asyncio reactor wraps every readiness event in four Python frames. Where the loop
beneath it offers ``add_reader`` (uvloop does), the transports ask it directly; elsewhere they
go through the reactor's own file descriptor interface. Neither the transports nor the
protocols know which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from twisted.internet import asyncioreactor
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor, IWriteDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

log = Logger()

Ready = Callable[[], None]


class Readiness(Protocol):
    """Calls back, level-triggered, while a watched descriptor is ready."""

    def watch_read(self, fd: int, ready: Ready) -> None:
        """Call `ready` whenever `fd` can be read or has failed."""

    def unwatch_read(self, fd: int) -> None:
        """Stop it; not an error where `fd` is not watched."""

    def watch_write(self, fd: int, ready: Ready) -> None:
        """Call `ready` whenever `fd` can be written or has failed."""

    def unwatch_write(self, fd: int) -> None:
        """Stop it; not an error where `fd` is not watched."""

    def soon(self, call: Ready) -> None:
        """Call `call` after this turn of the loop."""


class LoopReadiness:
    """Readiness straight from an asyncio event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watch_read = loop.add_reader
        self.watch_write = loop.add_writer
        self._loop = loop

    def unwatch_read(self, fd: int) -> None:
        self._loop.remove_reader(fd)

    def unwatch_write(self, fd: int) -> None:
        self._loop.remove_writer(fd)

    def soon(self, call: Ready) -> None:
        self._loop.call_soon(call)


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
        self._ready()

    def doWrite(self) -> None:
        self._ready()

    def connectionLost(self, reason: Failure) -> None:
        # The reactor saw the descriptor fail: the transport finds out why by using it.
        self._ready()


class ReactorReadiness:
    """Readiness from any reactor with IReactorFDSet (epoll, poll, select)."""

    def __init__(self, reactor: IReactorFDSet, soon: Callable[[Ready], None]) -> None:
        self._reactor = reactor
        self._soon = soon
        self._reading: dict[int, _Descriptor] = {}
        self._writing: dict[int, _Descriptor] = {}

    def watch_read(self, fd: int, ready: Ready) -> None:
        self.unwatch_read(fd)
        self._reading[fd] = _Descriptor(fd, ready)
        self._reactor.addReader(self._reading[fd])

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

    def soon(self, call: Ready) -> None:
        self._soon(call)


def readiness_of(reactor: IReactorFDSet) -> Readiness:
    """The fastest readiness that `reactor` has."""
    if isinstance(reactor, asyncioreactor.AsyncioSelectorReactor):
        return LoopReadiness(reactor._asyncioEventloop)
    return ReactorReadiness(reactor, lambda call: _call_later(reactor, call))


def _call_later(reactor: object, call: Ready) -> None:
    reactor.callLater(0, call)  # type: ignore[attr-defined]  # every FD-set reactor has time
