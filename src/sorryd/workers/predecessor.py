"""A worker that another control process has left behind, to this one: it can be told to go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from sorryd.edge.listener import Bound
from sorryd.numbers import EdgeNumbers
from sorryd.policy.shares import Share
from sorryd.reports import Active
from sorryd.snapshot import Snapshot
from sorryd.sockets import Sockets
from sorryd.workers.channel import Channel, open_channel
from sorryd.workers.handing import Answer, Asked, Heed, Heeded, Hurry, Retire, Stop
from sorryd.workers.handle import Handle
from sorryd.workers.handover import forget
from sorryd.workers.interfaces import Certificates, Outfit
from sorryd.workers.process import DYING, PATIENCE
from sorryd.workers.takeover import Left, take

log = Logger()

_NONE: Final = -1  # the serial of a snapshot that there was not

PARTING: Final = 10.0
"""Seconds beyond its limit after which one that was told to go is killed."""


class Predecessor:
    """See interfaces.Worker. It hears what is so now, and to go; it takes no other orders.

    One that does not hear within `PATIENCE` seconds is killed: it might serve by what is not so any
    more. One that can't be killed is waited for no longer. Raises OSError where no descriptor is
    left.
    """

    serves = True
    seen = None
    is_here = False
    numbers = EdgeNumbers()  # those before ours counted for themselves

    def __init__(self, reactor: Any, left: Left, state: str) -> None:
        self.share = Share()
        self.pid = left.pid
        self._handle = Handle(left.pid)
        self._reactor = reactor
        self._state = state
        self._is_over = False
        self._over: list[Deferred[None]] = []
        self._late: IDelayedCall | None = None
        self._snapshot: Snapshot | None = None  # the newest
        self._sent = self._heeded = _NONE
        self._deaf: IDelayedCall | None = None
        self._settled: list[tuple[int, Deferred[None]]] = []
        self._channel: Channel[Answer] = open_channel(
            reactor, left.sock, f"old worker {left.pid}", Answer, self._heard, self._lost
        )

    # --- what it hears ---

    def apply(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._tell()

    def _tell(self) -> None:
        """Tell it the newest snapshot, if it has heeded the last one."""
        snapshot = self._snapshot
        if self._is_over or snapshot is None or self._deaf or self._sent == snapshot.serial:
            return
        self._sent = snapshot.serial
        self._channel.send(Heed(serial=snapshot.serial, snapshot=msgspec.msgpack.encode(snapshot)))
        self._deaf = self._reactor.callLater(PATIENCE, self._is_deaf)

    def fitted(self) -> Deferred[None]:
        return self.settled()

    def settled(self) -> Deferred[None]:
        if self._is_over or self._snapshot is None or self._heeded == self._snapshot.serial:
            return succeed(None)
        settled: Deferred[None] = Deferred()
        self._settled.append((self._snapshot.serial, settled))
        return settled

    def _has_heeded(self, serial: int) -> None:
        self._heeded = serial
        self._listen()
        while self._settled and self._settled[0][0] <= serial:
            self._settled.pop(0)[1].callback(None)
        self._tell()

    def _is_deaf(self) -> None:
        self._deaf = None
        self._kill()

    def _listen(self) -> None:
        deaf, self._deaf = self._deaf, None
        if deaf is not None:
            deaf.cancel()

    # --- what it does not hear ---

    def fit(self, outfit: Outfit) -> None:
        """It retires soon."""

    def show(self, certificates: Certificates) -> None:
        """Nobody comes to it any more."""

    def reopen(self) -> None:
        """It can't be told."""

    def look(self) -> None:
        """It has a clock of its own."""

    def measure(self) -> Deferred[EdgeNumbers]:
        return succeed(self.numbers)

    def active(self) -> Deferred[Sequence[Active]]:
        return succeed(())

    # --- its end ---

    def retire(self, limit: float) -> Deferred[None]:
        return self._end(Retire(limit=limit), limit)

    def stop(self, limit: float) -> Deferred[None]:
        return self._end(Stop(limit=limit), limit)

    def leave(self) -> None:
        self._channel.close()

    def hurry(self) -> None:
        self._channel.send(Hurry())

    def _end(self, asked: Asked, limit: float) -> Deferred[None]:
        """It may be told so again, as when sorryd stops while it retires."""
        if self._is_over:
            return succeed(None)
        self._channel.send(asked)
        self._stop_waiting()
        self._late = self._reactor.callLater(limit + PARTING, self._is_late)
        over: Deferred[None] = Deferred()
        self._over.append(over)
        return over

    def _is_late(self) -> None:
        self._late = None
        self._kill()

    def _kill(self) -> None:
        log.error("old worker {pid} does not do as it is told, and is killed", pid=self.pid)
        try:
            self._handle.kill()
        except PermissionError:
            log.error("old worker {pid} can't be killed: it is another user's", pid=self.pid)
        self._stop_waiting()
        self._late = self._reactor.callLater(DYING, self._channel.abort)

    def _heard(self, answer: Answer, fds: tuple[int, ...]) -> None:
        for fd in fds:
            os.close(fd)
        if isinstance(answer, Heeded):
            self._has_heeded(answer.serial)

    def _lost(self) -> None:
        self._is_over = True
        self._stop_waiting()
        self._listen()
        self._handle.close()
        forget(self._state, self.pid)
        log.info("old worker {pid} has ended", pid=self.pid)
        over, self._over = self._over, []
        settled, self._settled = self._settled, []
        for one in (*over, *(one for _, one in settled)):
            one.callback(None)

    def _stop_waiting(self) -> None:
        late, self._late = self._late, None
        if late is not None and late.active():  # it may be what ends the channel
            late.cancel()


def take_over(state: str, sockets: Sockets) -> Sequence[Left]:
    """Those that were left beside the journal `state`; `sockets` has what they listen at."""
    found = take(state)
    for left in found:
        sockets.take(Bound(one.listen, one.sites, sock, one.is_given) for one, sock in left.sockets)
    return found
