"""Hash: the client's address says which member, by weighted rendezvous.

Each member draws a number for each address, and the lowest draw has it (Thaler and Ravishankar,
1998; the weighted kind, of exponential draws, is by Schindelhauer and Schomaker, 2005). Nobody's
draw depends on the others: a member that goes away leaves its own clients to the others and
moves nobody else's, and has the same ones again when it is back. One whose weight grows takes
from the others as much as is due to it, and moves nothing among them.

Draws are made of the member's URL and the address, with BLAKE2b: the same in every process, on
every machine, after every start.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sorryd.policy.balancing import Offers, Request
from sorryd.policy.keeping import keep

REMEMBERED: Final = 16_384
"""Addresses whose members are remembered; with more, all of them are worked out again."""

_BYTES: Final = 8  # of a draw
_SPAN: Final = 2.0 ** (8 * _BYTES)


class Draws:
    """What members draw for addresses; `shares` are their weights."""

    __slots__ = ("_hashes", "_shares")

    def __init__(self, urls: Sequence[str], shares: Sequence[int]) -> None:
        self._hashes = [hashlib.blake2b(f"{url}\n".encode(), digest_size=_BYTES) for url in urls]
        self._shares = shares

    def lowest(self, address: str, among: Iterable[int]) -> int:
        """The one of `among`, by index, that has `address`. ValueError where `among` is empty."""
        key = address.encode()
        return min(among, key=lambda index: self._draw(index, key))

    def _draw(self, index: int, key: bytes) -> float:
        """A draw from the exponential distribution whose rate is the member's weight."""
        drawn = self._hashes[index].copy()
        drawn.update(key)
        number = int.from_bytes(drawn.digest(), "big")
        return -math.log((number + 0.5) / _SPAN) / self._shares[index]


class Rendezvous:
    """A balancer: see balancing.Balancer.

    A request waits for its own member where that is full, as in HAProxy. A member on trial is
    tried by its own clients alone.
    """

    __slots__ = ("_draws", "_everyone", "_known", "_tiers", "_trials", "offers")

    def __init__(self, offers: Offers, urls: Sequence[str], shares: Sequence[int]) -> None:
        plan = offers.plan
        self.offers = offers
        self._draws = Draws(urls, shares)
        self._tiers = ((*plan.primary, *plan.trial), (*plan.standby, *plan.standby_trial))
        self._everyone = self._tiers[0] or self._tiers[1]
        self._trials = frozenset((*plan.trial, *plan.standby_trial))
        self._known: dict[str, int] = {}  # by address, who of `_everyone` has it

    def pick(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        index = self.own(tried, head, client)
        if index is None or self.offers.is_full(index):
            return None
        return index

    def own(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        if not tried and self._everyone:
            index = self._known.get(client)
            if index is None:
                index = self._found(client)
            if self._may_take(index):
                return index
        for tier in self._tiers:
            left = [index for index in tier if index not in tried and self._may_take(index)]
            if left:
                return self._draws.lowest(client, left)
        return None

    def _found(self, client: str) -> int:
        index = self._draws.lowest(client, self._everyone)
        keep(self._known, REMEMBERED, client, index)
        return index

    def _may_take(self, index: int) -> bool:
        return index not in self._trials or self.offers.is_free(index)
