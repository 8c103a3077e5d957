"""Round robin: smooth, by weight.

On a quiet day, with nobody on trial or full and nothing to try again, a pick is one step along
an order worked out before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sorryd.policy.balancing import Offers, Request
from sorryd.policy.rotation import Rotation, turn

REMEMBERED_ROTATIONS: Final = 8
"""Sets of members whose place is remembered."""


class Places:
    """Where the turns of one site's members stand, for as long as they are the same members.

    A set of weights that was in use before goes on where it stood, so that a member that comes
    and goes does not send every rotation back to its first member. Not frozen: every pick moves
    something on.
    """

    __slots__ = ("_rotations", "standing")

    def __init__(self, members: int) -> None:
        self.standing = [0] * members  # of turns among some of them: see rotation.turn
        self._rotations: dict[tuple[int, ...], Rotation] = {}

    def rotation(self, weights: tuple[int, ...]) -> Rotation:
        """The turns of all whose weight is not 0."""
        rotation = self._rotations.get(weights)
        if rotation is None:
            if len(self._rotations) >= REMEMBERED_ROTATIONS:
                self._rotations.pop(next(iter(self._rotations)))
            rotation = self._rotations[weights] = Rotation(weights)
        return rotation


class RoundRobin:
    """A balancer: see balancing.Balancer. `everyone` are the turns of those up, if any are."""

    __slots__ = ("_shares", "_standing", "_up", "everyone", "offers")

    def __init__(self, offers: Offers, shares: Sequence[int], places: Places) -> None:
        self.offers = offers
        self._shares = shares
        self._standing = places.standing
        self._up = up = offers.plan.primary or offers.plan.standby
        of_up = tuple(share if index in up else 0 for index, share in enumerate(shares))
        self.everyone = places.rotation(of_up) if up else None

    def pick(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        due = self.offers.due(tried)
        return self.among(due) if due else None

    def among(self, due: tuple[int, ...]) -> int:
        """Whose turn it is of those who share a request."""
        if due is self._up and self.everyone is not None:
            return self.everyone.pick()
        return turn(self._standing, self._shares, due)

    def own(self, tried: Collection[int], head: Request | None, client: str) -> int | None:
        """See Balancer."""
        return None
