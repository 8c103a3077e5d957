"""Which worker may try which member: leaves by site and URL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sorryd.control.turn import Key
from sorryd.policy.trials import Leave, begun, granted, lost, over, passed
from sorryd.reports import MemberTried


class Trials:
    """The leaves that are given now. Mutable: one per truth.

    With one worker, or none but the daemon itself, there are none: nobody has to ask.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._leaves: dict[Key, Leave] = {}
        self._told: Mapping[Key, int] = {}  # who had them when that was looked at last

    def configure(self, workers: int) -> None:
        """There are so many workers from now on."""
        if workers != self._workers:
            self._workers = workers
            self._leaves.clear()

    def worker(self, key: Key) -> int:
        """The number of the worker that may try a member; 0: nobody has to ask."""
        if self._workers <= 1:
            return 0
        leave = self._leaves.get(key)
        return 1 if leave is None else leave.worker

    def edges(self) -> Iterator[float]:
        """The moments at which leaves pass on."""
        return (leave.until for leave in self._leaves.values() if leave.until is not None)

    def hear(self, report: MemberTried, moment: float) -> None:
        """A worker has begun a trial, or ended one."""
        key = report.site, report.url
        leave = self._leaves.get(key)
        if leave is not None and report.begins:
            self._leaves[key] = begun(leave, report.worker)
        elif leave is not None:
            self._leaves[key] = over(leave, report.worker, moment)

    def lose(self, worker: int, moment: float) -> None:
        """A worker has died."""
        for key, leave in self._leaves.items():
            self._leaves[key] = lost(leave, worker, moment, self._workers)

    def look(self, on_trial: Iterable[Key], moment: float) -> bool:
        """It is `moment`, and these members are on trial; whether another worker has a leave."""
        if self._workers <= 1:
            return False
        before = self._leaves
        self._leaves = {
            key: passed(before[key], moment, self._workers) if key in before else granted(moment)
            for key in on_trial
        }
        told, self._told = self._told, {key: leave.worker for key, leave in self._leaves.items()}
        return told != self._told
