"""All listening sockets of a process, and where they lead: exchanged while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from socket import socket
from weakref import WeakSet

from sorryd.edge.certificates import SiteCertificates
from sorryd.edge.door import Door
from sorryd.edge.entrance import Entrance
from sorryd.edge.listener import Bound
from sorryd.edge.lobby import Lobby
from sorryd.edge.site import SiteEdge


class Entrances:
    """See Edge.open."""

    def __init__(self, lobby: Lobby) -> None:
        self._lobby = lobby
        self._entrances: dict[socket, Entrance] = {}
        self._doors: WeakSet[Door] = WeakSet()  # connections hold those without an entrance

    def open(
        self,
        bound: Iterable[Bound],
        sites: Mapping[str, SiteEdge],
        certificates: Mapping[str, SiteCertificates],
    ) -> None:
        """Let people in at the `bound` sockets, and at no others."""
        before, self._entrances = self._entrances, {}
        for one in bound:
            entrance = before.get(one.sock)
            if entrance is None:
                entrance = Entrance(one, self._door(one), self._lobby)
            elif entrance.door.listen != one.listen:
                entrance.door = self._door(one)
            entrance.door.names = one.sites
            entrance.door.lead_to(sites)
            self._entrances[one.sock] = entrance
        self.show(certificates)
        for sock in before.keys() - self._entrances.keys():
            before[sock].stop()
        for sock in self._entrances.keys() - before.keys():
            self._entrances[sock].start()

    def _door(self, one: Bound) -> Door:
        door = Door(one.listen)
        self._doors.add(door)
        return door

    def lead_to(self, sites: Mapping[str, SiteEdge]) -> None:
        """The sites, or what is configured of them, are others now."""
        for door in self._doors:
            door.lead_to(sites)

    def show(self, certificates: Mapping[str, SiteCertificates]) -> None:
        """Show these to who comes from now on."""
        for entrance in self._entrances.values():
            entrance.door.show(certificates)

    def finish(self) -> None:
        """Let those in who stand outside, and then nobody any more."""
        for entrance in self._entrances.values():
            entrance.finish()

    def stop(self) -> None:
        """Let nobody in any more."""
        for entrance in self._entrances.values():
            entrance.stop()
