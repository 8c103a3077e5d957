"""What all workers of a daemon share: who makes them, and who hears of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from socket import socket
from typing import Any, Final

from twisted.logger import Logger, LogLevel

from sorryd import access_log
from sorryd.reports import Report
from sorryd.workers.echoes import Echoes
from sorryd.workers.meter import Ledger
from sorryd.workers.orders import Begin, Said

REQUESTS: Final = access_log.__name__
"""Whose lines are as visitors' requests, without more."""


class Seat:
    """Mutable: it counts deaths, and keeps what the dead had counted.

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
        self.echoes = Echoes(reactor.seconds)
        self.ledger = Ledger()
        self.restarts: Counter[int] = Counter()
        self.restarted: dict[int, float] = {}

    def log(self, number: int, said: Said) -> None:
        """A worker has said something for the daemon's log."""
        if not self.echoes.is_one(number, said):
            whose = "" if said.namespace == REQUESTS else f"worker {number}: "
            level, logger = LogLevel.lookupByName(said.level), Logger(namespace=said.namespace)
            logger.emit(level, "{whose}{text}", whose=whose, text=said.text)

    def died(self, number: int) -> None:
        """A worker has died."""
        self.restarts[number] += 1
        self.restarted[number] = self.now()
