"""What an edge serves by between its report and the snapshot that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from sorryd.policy.foresight import foreseen
from sorryd.reports import Report
from sorryd.snapshot import Snapshot

LIMIT: Final = 1.0
"""Seconds after which the last snapshot counts again: the control side thinks otherwise."""


class Serves(Protocol):
    """What it needs of an edge."""

    def apply(self, snapshot: Snapshot) -> None:
        """Serve by `snapshot` from now on."""


class Foresight:
    """`seconds` is a monotonic clock."""

    def __init__(self, edge: Serves, seconds: Callable[[], float]) -> None:
        self._edge = edge
        self._seconds = seconds
        self._told = self._known = Snapshot(serial=0, sites=())
        self._since = 0.0  # a moment

    def apply(self, snapshot: Snapshot) -> None:
        """The control side says so."""
        self._told = self._known = snapshot
        self._edge.apply(snapshot)

    def report(self, report: Report) -> None:
        """The edge has said so to the control side."""
        known = foreseen(self._known, report)
        if known is not self._known:
            self._known, self._since = known, self._seconds()
            self._edge.apply(known)

    def look(self) -> None:
        """Time has passed."""
        if self._known is not self._told and self._seconds() - self._since > LIMIT:
            self.apply(self._told)
