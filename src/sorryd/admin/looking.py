"""Puts together what the admin listener tells: from the truth, the fleet and the journal."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from sorryd.admin.overview import Overview
from sorryd.model import Site
from sorryd.numbers import EdgeNumbers
from sorryd.policy.totals import still_there
from sorryd.policy.windows import Standing
from sorryd.reports import ShownCertificate, WorkerSeen
from sorryd.snapshot import Snapshot


class Knows(Protocol):
    """What is asked of the truth."""

    @property
    def snapshot(self) -> Snapshot: ...
    def standing(self, site: Site) -> Standing: ...


class Counts(Protocol):
    """What is asked of the fleet."""

    def numbers(self) -> Deferred[EdgeNumbers]: ...
    def workers(self) -> Sequence[WorkerSeen]: ...
    def shown(self) -> Sequence[ShownCertificate]: ...


class Fails(Protocol):
    """What is asked of the journal."""

    failures: int


class Looking:
    """Asks all of them, once for each answer. `version` is that of the sorryd that runs."""

    def __init__(self, version: str, truth: Knows, fleet: Counts, journal: Fails) -> None:
        self._version = version
        self._truth = truth
        self._fleet = fleet
        self._journal = journal

    def look(self) -> Deferred[Overview]:
        """What is so now."""
        return self._fleet.numbers().addCallback(self._overview)

    def _overview(self, numbers: EdgeNumbers) -> Overview:
        snapshot = self._truth.snapshot
        return Overview(
            version=self._version,
            python=platform.python_version(),
            snapshot=snapshot,
            standings={view.site.name: self._truth.standing(view.site) for view in snapshot.sites},
            numbers=still_there(numbers, snapshot),
            certificates=tuple(self._fleet.shown()),
            workers=tuple(self._fleet.workers()),
            journal_failures=self._journal.failures,
        )
