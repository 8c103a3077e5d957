"""A worker that another control process has left behind, to this one: it can be told to go."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from sorryd.edge.listener import Bound
from sorryd.policy.shares import Share
from sorryd.reports import Active
from sorryd.snapshot import Snapshot
from sorryd.workers.channel import Channel, open_channel
from sorryd.workers.handing import Answer, Asked, Hurry, Retire, Stop
from sorryd.workers.interfaces import Certificates, Outfit
from sorryd.workers.takeover import Left

log = Logger()

PARTING: Final = 10.0
"""Seconds beyond its limit after which one that was told to go is killed."""


class Predecessor:
    """See interfaces.Worker. It goes on by what it was told by others, and takes no orders."""

    serves = True
    seen = None

    def __init__(self, reactor: Any, left: Left) -> None:
        self.share = Share()
        self.pid = left.pid
        self._reactor = reactor
        self._is_over = False
        self._over: list[Deferred[None]] = []
        self._late: IDelayedCall | None = None
        self._channel: Channel[Answer] = open_channel(
            reactor, left.sock, f"old worker {left.pid}", Answer, self._heard, self._lost
        )

    # --- what it does not hear ---

    def apply(self, snapshot: Snapshot) -> None:
        """It has one of its own."""

    def fit(self, outfit: Outfit) -> None:
        """It retires soon."""

    def show(self, certificates: Certificates) -> None:
        """Nobody comes to it any more."""

    def reopen(self) -> None:
        """It can't be told."""

    def look(self) -> None:
        """It has a clock of its own."""

    def settled(self) -> Deferred[None]:
        return succeed(None)

    def active(self) -> Deferred[Sequence[Active]]:
        return succeed(())

    # --- its end ---

    def retire(self, limit: float) -> Deferred[None]:
        return self._end(Retire(limit=limit), limit)

    def stop(self, limit: float) -> Deferred[None]:
        return self._end(Stop(limit=limit), limit)

    def hurry(self) -> None:
        self._channel.send(Hurry())

    def _end(self, asked: Asked, limit: float) -> Deferred[None]:
        """It may be told so again, as when sorryd stops while it retires."""
        if self._is_over:
            return succeed(None)
        self._channel.send(asked)
        self._stop_waiting()
        self._late = self._reactor.callLater(limit + PARTING, self._kill)
        over: Deferred[None] = Deferred()
        self._over.append(over)
        return over

    def _kill(self) -> None:
        self._late = None
        log.error("old worker {pid} does not end, and is killed", pid=self.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGKILL)

    def _heard(self, answer: Answer, fds: tuple[int, ...]) -> None:
        for fd in fds:
            os.close(fd)

    def _lost(self) -> None:
        self._is_over = True
        self._stop_waiting()
        log.info("old worker {pid} has ended", pid=self.pid)
        over, self._over = self._over, []
        for one in over:
            one.callback(None)

    def _stop_waiting(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()


def bound_of(left: Left) -> list[Bound]:
    """The sockets that one has left, in the order in which it had them."""
    return [Bound(one.listen, one.sites, sock, one.is_given) for one, sock in left.sockets]
