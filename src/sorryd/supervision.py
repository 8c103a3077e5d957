"""What the supervisor hears, and when: that we are up, how the sites stand, the end."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.task import LoopingCall

from sorryd.control.truth import Truth
from sorryd.notify import Notify
from sorryd.policy.health import any_up
from sorryd.policy.status_line import SiteState, status_line

LEAVE: Final = 15.0
"""Seconds that all else may take at the end, when what was in flight is over."""

_REFUSED: Final = " (the last reload was refused: see the log)"


class Supervision:
    """Tells `notify`; where nobody listens to that, it works nothing out."""

    def __init__(self, notify: Notify, reactor: Any) -> None:
        self._notify = notify
        self._truth: Truth | None = None
        self._remark = ""
        self._watchdog = LoopingCall(notify.alive)
        self._watchdog.clock = reactor

    def up(self, truth: Truth) -> None:
        """Visitors and commands are served."""
        self._truth = truth
        self._notify.ready(self._line())
        if self._notify.watchdog:
            self._watchdog.start(self._notify.watchdog / 2)

    def look(self) -> None:
        """Something may have changed."""
        if self._truth is not None and self._notify.is_heard:
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

    def stopping(self, limit: float) -> None:
        """The end begins; requests in flight have `limit` seconds."""
        self._truth = None
        self._notify.stopping(limit + LEAVE)
        self._notify.status("stopping; requests in flight may finish")

    def stop(self) -> None:
        """Nothing follows."""
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
