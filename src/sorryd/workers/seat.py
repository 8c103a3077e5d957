"""What all workers of a daemon share: who makes them, and who hears of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from socket import socket
from typing import Any

from sorryd.reports import Report
from sorryd.workers.orders import Begin


class Seat:
    """Mutable: it counts deaths.

    `now` gives instants. `fork` gives our end of a socket to a fresh process. `report` gets what
    edges see; `lost` the number of a worker whose process has ended: it has no leave any more.
    """

    def __init__(
        self,
        reactor: Any,
        now: Callable[[], float],
        begin: Begin,
        fork: Callable[[], socket],
        report: Callable[[Report], None],
        lost: Callable[[int], None],
    ) -> None:
        self.reactor = reactor
        self.now = now
        self.begin = begin
        self.fork = fork
        self.report = report
        self.lost = lost
        self.restarts: Counter[int] = Counter()
        self.restarted: dict[int, float] = {}

    def died(self, number: int) -> None:
        """A worker has died."""
        self.restarts[number] += 1
        self.restarted[number] = self.now()
