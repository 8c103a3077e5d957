"""All that the admin listener tells, as it was at one instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sorryd.numbers import EdgeNumbers
from sorryd.policy.windows import Standing
from sorryd.reports import ShownCertificate, WorkerSeen
from sorryd.snapshot import Snapshot


class Overview(NamedTuple):
    """`standings` are by site. `numbers` are of the whole daemon, and of what is configured."""

    version: str
    python: str
    snapshot: Snapshot
    standings: Mapping[str, Standing]
    numbers: EdgeNumbers
    certificates: Sequence[ShownCertificate] = ()
    workers: Sequence[WorkerSeen] = ()
    journal_failures: int = 0
