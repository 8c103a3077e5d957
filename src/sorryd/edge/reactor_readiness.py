"""Readiness by the reactor alone, descriptor by descriptor: see readiness.py."""

from __future__ import annotations

from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorTime,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.edge.soon import PutOff, Ready, safely


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
        safely(self._ready)

    def doWrite(self) -> None:
        safely(self._ready)

    def connectionLost(self, reason: Failure) -> None:
        # The reactor saw the descriptor fail: the transport finds out why by using it.
        safely(self._ready)


class ReactorReadiness:
    """Each descriptor watched by the reactor itself: where there is no epoll."""

    def __init__(self, reactor: IReactorFDSet, clock: IReactorTime) -> None:
        self._reactor = reactor
        self._reading: dict[int, _Descriptor] = {}
        self._writing: dict[int, _Descriptor] = {}
        soon = PutOff(lambda: clock.callLater(0, soon.run))
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

    def leave(self, fd: int) -> None:
        self.unwatch_read(fd)
        self.unwatch_write(fd)
