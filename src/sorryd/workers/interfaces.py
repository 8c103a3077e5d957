"""What a worker is to the control side: one edge, in this process or in one of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from sorryd.edge.certificates import SiteCertificates
from sorryd.edge.listener import Bound
from sorryd.model import Config
from sorryd.numbers import EdgeNumbers
from sorryd.policy.shares import Share
from sorryd.reports import Active, WorkerSeen
from sorryd.snapshot import Snapshot

Certificates = Mapping[str, SiteCertificates]
"""What sites show, by their names."""


class Outfit(NamedTuple):
    """What an edge needs beside snapshots. The sockets stay the control side's."""

    config: Config
    bound: Sequence[Bound]
    certificates: Certificates


class Worker(Protocol):
    """One edge. All but `hurry` takes effect in the order in which it is called."""

    share: Share
    """Its part; it counts from the next `apply` on."""

    def apply(self, snapshot: Snapshot) -> None:
        """Serve by its share of `snapshot` from now on."""

    def fit(self, outfit: Outfit) -> None:
        """Accept at the outfit's sockets, and at no others."""

    def show(self, certificates: Certificates) -> None:
        """Show these to who comes from now on."""

    def reopen(self) -> None:
        """The access log was moved away."""

    def look(self) -> None:
        """Time has passed."""

    is_here: bool
    """Whether it ends with this process."""

    @property
    def serves(self) -> bool:
        """Whether visitors are accepted as `fit` said last. A worker that died does so later."""

    @property
    def seen(self) -> WorkerSeen | None:
        """What is known of its process; None: it has none of its own."""

    def settled(self) -> Deferred[None]:
        """Fires when it serves nobody but by all that it was told until now."""

    def fitted(self) -> Deferred[None]:
        """Fires when that is so and it serves, or has died: one that is about to is waited for."""

    def active(self) -> Deferred[Sequence[Active]]:
        """Requests in flight at each member of each site."""

    @property
    def numbers(self) -> EdgeNumbers:
        """What it has counted, by what it said last; none of one that has ended."""

    def measure(self) -> Deferred[EdgeNumbers]:
        """`numbers`, as they are now, or what it said last where it can't say."""

    def retire(self, limit: float) -> Deferred[None]:
        """Accept no more, and let all go on; fires when it is over, after `limit` s at the most."""

    def stop(self, limit: float) -> Deferred[None]:
        """Accept no more, and end; fires when it is over, soon after `limit` s at the most."""

    def leave(self) -> None:
        """Leave it to itself: it serves on until another control process has come.

        What it was told and had not yet done may be lost to it.
        """

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""
