"""What one process of a worker has been told of what it shall serve."""

from __future__ import annotations

from typing import Final

from twisted.logger import Logger

from sorryd.edge.listener import Bound
from sorryd.policy.shares import Share, mine
from sorryd.recording import log_of
from sorryd.snapshot import SiteView, Snapshot
from sorryd.workers.interfaces import Outfit
from sorryd.workers.orders import Fit, Opening, Publish
from sorryd.workers.papers import papers_of
from sorryd.workers.patches import patches
from sorryd.workers.process import Process

log = Logger()

_NEVER: Final = 0  # the number of an order that was not given


class Briefing:
    """Mutable, as long as its process lives."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._known: dict[str, SiteView] = {}
        self._held: frozenset[int] = frozenset()  # keys of the sockets that it has
        self._published = self._fitted = _NEVER
        self.is_unfit = False

    is_unfit: bool
    """Whether it could not be given its sockets: that is to be tried again."""

    @property
    def can_take(self) -> bool:
        """Whether it has taken the last snapshot. Until then others had better wait: the newest
        one counts."""
        return self._process.done >= self._published

    @property
    def serves(self) -> bool:
        """Whether it accepts visitors as it was told last."""
        return self._fitted != _NEVER and self._process.done >= self._fitted and not self.is_unfit

    def publish(self, snapshot: Snapshot, share: Share) -> None:
        """It shall serve by its share of `snapshot`."""
        views = mine(snapshot, share).sites
        order = Publish(
            serial=snapshot.serial,
            sites=tuple(view.site.name for view in views),
            patches=patches(self._known, views),
        )
        self._published = self._process.order(order)
        self._known = {view.site.name: view for view in views}

    def fit(self, outfit: Outfit, share: Share) -> None:
        """It shall accept at the outfit's sockets, and at no others."""
        new = [one.sock.fileno() for one in outfit.bound if one.key not in self._held]
        order = Fit(
            openings=tuple(_opening(one, self._held) for one in outfit.bound),
            papers=papers_of(outfit.certificates),
            log=log_of(outfit.config),
            retire=outfit.config.retire,
        )
        self.is_unfit = False
        try:
            self._fitted = self._process.order(order, new)
        except OSError as why:  # there is no descriptor left to send one
            number, words = share.number, str(why.strerror).lower()
            log.error("worker {number} can't get its sockets: {why}", number=number, why=words)
            self.is_unfit = True
            return
        self._held = frozenset(one.key for one in outfit.bound)

    def failed(self) -> None:
        """It could not be fitted: it serves as before. The next time it gets all sockets anew."""
        self._fitted, self._held = _NEVER, frozenset()


def _opening(one: Bound, held: frozenset[int]) -> Opening:
    return Opening(
        key=one.key,
        listen=one.listen,
        sites=one.sites,
        is_new=one.key not in held,
        is_given=one.is_given,
    )
