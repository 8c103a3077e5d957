"""The sockets that sites listen at: bound before anything changes, and kept where they can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from sorryd.edge.listener import Bound, ListenFault, bind
from sorryd.model import Listen, Site
from sorryd.unix_sockets import identity, remove


class Place(NamedTuple):
    """What one socket is for: an address, whatever else is said of it.

    Of port 0 each site has its own sockets, by what is said of them, so many as it asks for.
    """

    listen: Listen
    site: str = ""
    number: int = 0


class Sockets:
    """Those in use."""

    def __init__(self) -> None:
        self._in_use: Mapping[Place, Bound] = {}

    def bind(self, sites: Iterable[Site]) -> Mapping[Place, Bound]:
        """A socket for each address of `sites`: the one in use, else a new one.

        Raises ListenFault, with nothing bound. Otherwise `use` or `drop` must follow.
        """
        found: dict[Place, Bound] = {}
        try:
            for place, (listen, names) in _places(sites).items():
                running = self._in_use.get(place)
                sock = bind(listen) if running is None else running.sock
                found[place] = Bound(listen, tuple(names), sock)
        except ListenFault:
            self.drop(found)
            raise
        return found

    def use(self, bound: Mapping[Place, Bound]) -> None:
        """These are in use from now on. Whoever accepts at the others closes them."""
        self._in_use = bound

    def drop(self, bound: Mapping[Place, Bound]) -> None:
        """Close those of `bound` that are not in use."""
        for place in bound.keys() - self._in_use.keys():
            bound[place].sock.close()
            if place.listen.path is not None:
                remove(place.listen.path, identity(place.listen.path))


def _places(sites: Iterable[Site]) -> dict[Place, tuple[Listen, list[str]]]:
    """Each address of `sites` with the names of those there, in their order."""
    found: dict[Place, tuple[Listen, list[str]]] = {}
    for site in sites:
        for listen in site.listen:
            found.setdefault(_place(listen, site, found), (listen, []))[1].append(site.name)
    return found


def _place(listen: Listen, site: Site, taken: Iterable[Place]) -> Place:
    if listen.port or listen.path is not None:
        return Place(replace(listen, tls=False, proxy=False))
    mine = [place for place in taken if place.listen == listen and place.site == site.name]
    return Place(listen, site.name, len(mine))
