"""What a worker is once its control process is gone, until another one comes.

It serves by its last snapshot, judges members by its own requests, and hands its listening sockets
to who would take over. It is never anybody else's: it retires when it is told that others serve.
Until then, and while connections are left, it hears what is so now: a site that goes down is down
for who stays with it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from sorryd.edge.edge import Edge
from sorryd.policy.alone import Alone, alone, heard, looked
from sorryd.reports import Report
from sorryd.snapshot import Snapshot
from sorryd.workers.doorways import Doorways
from sorryd.workers.handing import Attended, Listening, Taken
from sorryd.workers.handover import Handover, Offer

log = Logger()

BLIND: Final = 30.0
"""Seconds that requests in flight get where the next release can't say what is so now."""


class Orphan:
    """See handover.HandsOver. `control` is the pid of the control process, while it lives.

    `end_with` gets a Deferred, with which the process shall end. `began` is the instant at which
    it did.
    """

    def __init__(
        self,
        reactor: Any,
        edge: Edge,
        doorways: Doorways,
        control: int,
        began: float,
        end_with: Callable[[Deferred[None]], None],
    ) -> None:
        self._reactor = reactor
        self._edge = edge
        self._doorways = doorways
        self._control = control
        self._began = began
        self._end_with = end_with
        self._is_retiring = False
        self._known: Alone | None = None  # once it is alone
        self.handover = Handover(reactor, self)

    @property
    def is_alone(self) -> bool:
        """Whether its control process is gone."""
        return self._known is not None

    def begin(self, snapshot: Snapshot) -> None:
        """The control process is gone; `snapshot` was its last one."""
        log.warn("the control process is gone: serving by what it said last")
        self._know(alone(snapshot))

    # --- the edge ---

    def report(self, report: Report) -> None:
        """The edge has seen something."""
        if self._known is not None:
            self._know(heard(self._known, report, self._reactor.seconds()))

    def look(self) -> None:
        """Time has passed."""
        if self._known is not None:
            self._know(looked(self._known, self._reactor.seconds()))

    def _know(self, known: Alone) -> None:
        before, self._known = self._known, known
        if known is not before:
            self._edge.apply(known.snapshot)

    # --- who takes over ---

    def offer(self) -> Offer:
        if not self.is_alone:
            return Offer(Attended(control=self._control))
        bound = self._doorways.open
        sockets = tuple(
            Listening(listen=one.listen, sites=one.sites, is_given=one.is_given) for one in bound
        )
        taken = Taken(began=self._began, sockets=sockets)
        return Offer(taken, [one.sock.fileno() for one in bound])

    def heed(self, snapshot: bytes) -> None:
        try:
            known = msgspec.msgpack.decode(snapshot, type=Snapshot)
        except msgspec.DecodeError as why:
            log.error("what is so now is not understood, so nobody is kept: {why}", why=why)
            self.stop(BLIND)
            return
        self._know(alone(known))

    def retire(self, limit: float) -> None:
        if not self._is_retiring:
            self._is_retiring = True
            self._end_with(self._edge.retire(limit))

    def stop(self, limit: float) -> None:
        self._is_retiring = True
        self._end_with(self._edge.stop(limit))

    def hurry(self) -> None:
        self._edge.hurry()
