"""How an edge ends: nobody new, those who are here to their end, and what is left is cut.

It *retires* where another edge has taken its place: a connection at rest is answered its next
request, told that it was the last one, and closed; one that asks for nothing is closed by its
time-out. It *stops* where sorryd itself goes: the same, but for `GRACE` only; then connections at
rest are closed. So a request that was on its way is answered, and not met by a reset.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from sorryd.edge.lobby import Lobby
from sorryd.edge.site import SiteEdge
from sorryd.edge.tunnel import CLOSING
from sorryd.edge.websocket import WebSocket

log = Logger()

GRACE: Final = 1.0
"""Seconds in which a connection at rest may still ask for something, when sorryd stops."""

_LOOK: Final = 0.05  # seconds between two looks at what is still in flight
_FINISH: Final = 1.0  # ... and between two at who has gone without a word


class _Stage(enum.Enum):
    STAYING = enum.auto()
    RETIRING = enum.auto()  # nobody new, and each request is the last of its connection
    FINISHING = enum.auto()  # ... and connections at rest are closed
    CUT = enum.auto()
    GONE = enum.auto()


class Departure:
    """One per edge. `sites` are all that have visitors, `close` lets go of the rest."""

    def __init__(
        self,
        reactor: IReactorTime,
        lobby: Lobby,
        sites: Callable[[], Iterable[SiteEdge]],
        close: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._lobby = lobby
        self._sites = sites
        self._close = close
        self._stage = _Stage.STAYING
        self._finish_at = self._cut_at = self._gone_at = math.inf
        self._is_hurried = False
        self._next_look: IDelayedCall | None = None
        self._over: list[Deferred[None]] = []

    def join(self, site: SiteEdge) -> None:
        """A site that is new: it goes as the others do."""
        if self._stage is not _Stage.STAYING:
            site.lasting = False

    def retire(self, limit: float) -> Deferred[None]:
        """Fires when all have gone, or after `limit` seconds."""
        return self._depart(math.inf, limit)

    def stop(self, limit: float) -> Deferred[None]:
        """The same, and who is at rest goes soon."""
        return self._depart(min(GRACE, limit), limit)

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""
        self._is_hurried = True
        self._finish_at = self._cut_at = self._gone_at = self._reactor.seconds()

    def _depart(self, grace: float, limit: float) -> Deferred[None]:
        if self._stage is _Stage.GONE:
            return succeed(None)
        if self._stage is _Stage.STAYING:
            self._stage = _Stage.RETIRING
            for site in self._sites():
                site.lasting = False
        now = self._reactor.seconds()
        self._finish_at = min(self._finish_at, now + grace)
        self._cut_at = min(self._cut_at, now + limit)
        over: Deferred[None] = Deferred()
        self._over.append(over)
        if self._next_look is not None:
            self._next_look.cancel()
        self._look()
        return over

    def _look(self) -> None:
        """Go as far as time and those who are left allow."""
        self._next_look = None
        now = self._reactor.seconds()
        is_cut = self._stage is _Stage.CUT
        if not is_cut and now >= self._finish_at:
            self._finish(now)
        if not is_cut and (now >= self._cut_at or not self._lobby.count()):
            self._cut(now)
        if self._stage is _Stage.CUT and not (self._is_parting and now < self._gone_at):
            self._end()
            return
        self._next_look = self._reactor.callLater(_LOOK, self._look)

    def _finish(self, now: float) -> None:
        """Close what is at rest now; later, those who have gone meanwhile."""
        self._stage = _Stage.FINISHING
        self._finish_at = now + _FINISH
        self._lobby.stop()
        for site in self._sites():
            site.stop()

    def _cut(self, now: float) -> None:
        """End what is still in flight."""
        self._finish(now)
        self._stage = _Stage.CUT
        self._gone_at = now if self._is_hurried else now + CLOSING
        if left := self._lobby.count():
            log.warn("stopping with {left} connections still open", left=left)
        for site in self._sites():
            for visitor in tuple(site.visitors):
                visitor.expire()

    @property
    def _is_parting(self) -> bool:
        """Whether somebody was told that we go, and may still answer."""
        return any(
            isinstance(visitor, WebSocket) and visitor.is_parting
            for site in self._sites()
            for visitor in site.visitors
        )

    def _end(self) -> None:
        self._stage = _Stage.GONE
        for site in self._sites():
            site.close()
        self._lobby.close()
        self._close()
        # Closing takes a turn of the loop.
        for over in self._over:
            self._reactor.callLater(0, over.callback, None)
