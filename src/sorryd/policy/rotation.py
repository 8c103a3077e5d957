"""Smooth weighted round robin, in nginx's order: whose turn it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

REMEMBERED_STEPS: Final = 65_536
"""Longest period that a rotation remembers; a longer one is worked out again each time."""


def turn(standing: list[int], weights: Sequence[int], among: Sequence[int]) -> int:
    """Take one step: the index, one of `among`, whose turn it is.

    Everyone in `among` gets its weight, the first that has most then is taken, and pays what
    was given out. `standing` is what each has; it is changed in place. The sum of it stays 0,
    whoever is in `among` next time.
    """
    best, given = among[0], 0
    for index in among:
        weight = weights[index]
        given += weight
        standing[index] += weight
        if standing[index] > standing[best]:
            best = index
    standing[best] -= given
    return best


class Rotation:
    """Turns among those whose weights stay the same.

    Weights 5, 1, 1 give a a b a c a a. The order repeats after sum(weights) / gcd(weights)
    steps. It is worked out as it is asked for; once whole it is only walked along, whatever the
    number of members.

    Weights may be 0, never picked; all 0 or a negative one is a ValueError.
    """

    __slots__ = ("_at", "_indices", "_order", "_period", "_standing", "_weights")

    def __init__(self, weights: Sequence[int]) -> None:
        if not any(weights) or min(weights) < 0:
            raise ValueError(f"weights must be 0 or more, and one of them more: {weights!r}")
        divisor = math.gcd(*weights)
        self._weights = [weight // divisor for weight in weights]
        self._indices = [index for index, weight in enumerate(weights) if weight]
        self._standing = [0] * len(weights)
        self._period = sum(self._weights)
        self._order: list[int] = []
        self._at = -1  # in the order; once it is whole

    def pick(self) -> int:
        """Take one step: the index of the weight whose turn it is."""
        at = self._at
        if at < 0:
            return self._step()
        at += 1
        self._at = at if at < self._period else 0
        return self._order[at - 1]

    def _step(self) -> int:
        index = turn(self._standing, self._weights, self._indices)
        if self._period <= REMEMBERED_STEPS:
            self._order.append(index)
            if len(self._order) == self._period:
                self._at = 0  # all of `_standing` is 0 again, so the order begins anew
        return index
