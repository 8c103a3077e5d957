"""A fleet whose workers are played by the test."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from tests.control.world import CONFIG
from tests.workers.lives import outfit, snapshot
from twisted.internet.defer import Deferred, succeed

from sorryd.model import Config
from sorryd.numbers import EdgeNumbers
from sorryd.policy.shares import Share
from sorryd.reports import Active, WorkerSeen
from sorryd.snapshot import Snapshot
from sorryd.workers.fleet import Fleet
from sorryd.workers.interfaces import Certificates, Outfit
from sorryd.workers.meter import Ledger


def seen(share: Share) -> WorkerSeen:
    return WorkerSeen(number=share.number, pid=1, since=1.0, restarts=0, restarted=None)


class Played:
    """A worker as the test wants it."""

    def __init__(self, name: str, share: Share) -> None:
        self.name = name
        self.share = share
        self.serves = False
        self.is_here = name == "local"
        self.seen = None if name == "local" else seen(share)
        self.applied: list[tuple[int, Share]] = []
        self.deeds: list[str] = []
        self.settling: list[Deferred[None]] = []
        self.over: Deferred[None] = Deferred()
        self.numbers = EdgeNumbers()
        self.measuring: list[Deferred[EdgeNumbers]] = []

    def apply(self, snapshot: Snapshot) -> None:
        self.applied.append((snapshot.serial, self.share))

    def fit(self, outfit: Outfit) -> None:
        self.deeds.append("fit")

    def show(self, certificates: Certificates) -> None:
        self.deeds.append("show")

    def reopen(self) -> None:
        self.deeds.append("reopen")

    def look(self) -> None:
        self.deeds.append("look")

    def settled(self) -> Deferred[None]:
        self.settling.append(Deferred())
        return self.settling[-1]

    def fitted(self) -> Deferred[None]:
        return self.settled()

    def active(self) -> Deferred[Sequence[Active]]:
        return succeed((Active(site="shop", url="http://a", requests=1),))

    def measure(self) -> Deferred[EdgeNumbers]:
        self.measuring.append(Deferred())
        return self.measuring[-1]

    def retire(self, limit: float) -> Deferred[None]:
        self.deeds.append(f"retire {limit:g}")
        return self.over

    def stop(self, limit: float) -> Deferred[None]:
        self.deeds.append(f"stop {limit:g}")
        return self.over

    def leave(self) -> None:
        self.deeds.append("leave")

    def hurry(self) -> None:
        self.deeds.append("hurry")

    # --- what a test lets it do ---

    def settle(self) -> None:
        """All that it was told is in force, or it serves no more."""
        settling, self.settling = self.settling, []
        for one in settling:
            one.callback(None)

    def serve(self) -> None:
        self.serves = True
        self.settle()


class Stage:
    """A fleet, and all workers that it ever had."""

    def __init__(self) -> None:
        self.all: list[Played] = []
        self.ledger = Ledger()
        self.fleet = Fleet(
            lambda: self._make("local", Share()), lambda s: self._make("remote", s), self.ledger
        )

    def _make(self, name: str, share: Share) -> Played:
        self.all.append(Played(name, share))
        return self.all[-1]

    def fit(self, workers: int, retire: float = 60.0) -> list[Played]:
        """Another configuration; the workers that it makes."""
        before = len(self.all)
        config: Config = replace(CONFIG, workers=workers, retire=retire)
        self.fleet.fit(outfit(1, config=config))
        return self.all[before:]

    def serving(self, workers: int) -> list[Played]:
        """A fleet of so many that serve."""
        self.fleet.apply(snapshot(1))
        fresh = self.fit(workers)
        for one in fresh:
            one.serve()
        return fresh


def shares(played: Sequence[Played]) -> list[tuple[int, int]]:
    return [(one.share.number, one.share.of) for one in played]
