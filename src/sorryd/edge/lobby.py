"""What all entrances of a process share: how many may come in, and who is no site's visitor."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from sorryd.edge.descriptors import Room, most_visitors, raise_limit
from sorryd.edge.introduction import Introduction
from sorryd.edge.pace import Pace
from sorryd.edge.readiness import Readiness
from sorryd.edge.turned_away import TurnedAway
from sorryd.edge.wheel import Wheel


class Lobby:
    """`visitors` counts those of all sites.

    `introductions` are connections of proxies that have not said yet for whom they are, and
    `turned_away` those that are told that there is no place. `pace` is for listeners whose sockets
    other edges share.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        readiness: Readiness,
        wheel: Wheel,
        visitors: Callable[[], int],
    ) -> None:
        self.reactor = reactor
        self.readiness = readiness
        self.wheel = wheel
        self.introductions: set[Introduction] = set()
        self.turned_away: set[TurnedAway] = set()
        self.pace = Pace(reactor.seconds, wheel.__len__)
        self._visitors = visitors
        self._room = Room(0, self.count)

    def make_room(self, visitors: int) -> None:
        """Let so many in at once, as far as the limit of descriptors can be raised."""
        raise_limit(visitors)
        self._room = Room(most_visitors(), self.count)

    def has_room(self) -> bool:
        """Whether one more may come in."""
        return self._room.is_left()

    def count(self) -> int:
        """How many connections there are that somebody came in by."""
        return self._visitors() + len(self.introductions) + len(self.turned_away)

    def stop(self) -> None:
        """Who has not said for whom it comes, comes for nobody."""
        for introduction in self.introductions:
            introduction.drop()
        self.introductions.clear()

    def close(self) -> None:
        """Wait no longer for those that were turned away."""
        for visitor in tuple(self.turned_away):
            visitor.drop()
