"""Who started us, and what it hears when: that we are up, how the sites stand, the end."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall

from sorryd.control.truth import Truth
from sorryd.inherited import Inherited, given_descriptors
from sorryd.notify import notify_of
from sorryd.policy.health import any_up
from sorryd.policy.status_line import SiteState, status_line
from sorryd.reaping import Reaping
from sorryd.socket_store import SocketStore
from sorryd.sockets import Sockets

LEAVE: Final = 15.0
"""Seconds that all else may take at the end, when what was in flight is over."""

SOON: Final = 0.25
"""Seconds after which a change is told: however many there are, and sites, it costs little."""

_REFUSED: Final = " (the last reload was refused: sorryctl reload says why)"


class Supervision:
    """All that we have to do with whoever started us, as far as `environ` tells of one.

    `sockets` are those to listen at. Where nobody hears of us, nothing is worked out.
    """

    def __init__(self, reactor: Any, environ: MutableMapping[str, str], pid: int) -> None:
        notify = self._notify = notify_of(environ, pid)
        self.sockets = Sockets(Inherited(given_descriptors(environ, pid)), SocketStore(notify))
        self._reaping = Reaping(reactor)
        self._reactor = reactor
        self._truth: Truth | None = None
        self._soon: IDelayedCall | None = None
        self._remark = ""
        self._watchdog = LoopingCall(notify.alive)
        self._watchdog.clock = reactor

    def up(self, truth: Truth) -> None:
        """Visitors and commands are served."""
        self._truth = truth
        self._notify.ready(self._line())
        self._reaping.start()
        if self._notify.watchdog:
            self._watchdog.start(self._notify.watchdog / 2)

    def look(self) -> None:
        """Something may have changed: tell it within `SOON`."""
        if self._truth is not None and self._notify.is_heard and self._soon is None:
            self._soon = self._reactor.callLater(SOON, self._tell)

    def _tell(self) -> None:
        self._soon = None
        self._notify.status(self._line())

    def reload_begins(self) -> None:
        """See control.reloading.Hears."""
        if self._truth is not None:
            self._notify.reloading()

    def reload_ends(self, is_refused: bool) -> None:
        """See control.reloading.Hears."""
        self._remark = _REFUSED if is_refused else ""
        if self._truth is not None:
            self._notify.ready(self._line())

    def stopping(self, limit: float, is_upgrade: bool = False) -> None:
        """The end begins; what is under way has `limit` seconds.

        `is_upgrade`: this process becomes another release.
        """
        self._truth = None
        soon, self._soon = self._soon, None
        if soon is not None:
            soon.cancel()
        if is_upgrade:
            self._notify.reloading()
            return
        self._notify.stopping(limit + LEAVE)
        self._notify.status("stopping; requests in flight may finish")

    def stop(self) -> None:
        """Nothing follows."""
        self._reaping.stop()
        if self._watchdog.running:
            self._watchdog.stop()

    def _line(self) -> str:
        if self._truth is None or not self._notify.is_heard:
            return ""
        truth = self._truth
        states = [
            SiteState(
                view.site.name,
                view.site.timezone,
                truth.standing(view.site),
                not any_up(view.members),
            )
            for view in truth.snapshot.sites
        ]
        return status_line(states, truth.now()) + self._remark
