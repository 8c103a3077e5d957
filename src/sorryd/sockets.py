"""The sockets that sites listen at: bound before anything changes, and kept where they can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from socket import socket
from typing import NamedTuple

from msgspec.structs import replace

from sorryd.edge.listener import Bound, ListenFault, bind
from sorryd.inherited import Handed, Inherited
from sorryd.model import Listen, Site
from sorryd.notify import Notify
from sorryd.socket_store import SocketStore
from sorryd.unix_sockets import identity, remove


class Place(NamedTuple):
    """What one socket is for: an address, whatever else is said of it.

    Of port 0 each site has its own sockets, by what is said of them, so many as it asks for. Of a
    name there are as many as the supervisor opened.
    """

    listen: Listen
    site: str = ""
    number: int = 0


class Sockets:
    """Those in use. What a supervisor `inherited` to us comes before a socket of our own.

    They are this process's: edges accept at descriptors of their own. A `store` has them too.
    """

    def __init__(
        self, inherited: Inherited | None = None, store: SocketStore | None = None
    ) -> None:
        self._in_use: Mapping[Place, Bound] = {}
        self._inherited = inherited or Inherited()
        self._store = store or SocketStore(Notify())
        self._dropped: list[Bound] = []
        self._files: dict[int, tuple[int, int] | None] = {}  # of our UNIX sockets, by their keys
        self._keys = count(1)
        self._left: dict[Place, Bound] = {}
        self._borrowed: set[socket] = set()  # those that others accept at too

    def take(self, left: Iterable[Bound]) -> None:
        """Have those that a worker of another control process has left, unless there are such.

        Until `own` is called their files are not ours to remove: that worker still serves there.
        """
        found: dict[Place, Bound] = {}
        for one in left:
            place = _place(one.listen, "".join(one.sites[:1]), found)
            while place in found:  # of a name there are many
                place = place._replace(number=place.number + 1)
            found[place] = one
        for place, one in found.items():
            if place in self._left or not _is_whole(one):
                one.sock.close()
            else:
                self._left[place] = one
                self._borrowed.add(one.sock)

    def own(self) -> None:
        """Nobody else accepts at ours any more; those that nobody wanted are closed."""
        self._borrowed.clear()
        left, self._left = self._left, {}
        for one in left.values():
            one.sock.close()
            if one.listen.path is not None and not one.is_given:
                remove(one.listen.path, identity(one.listen.path))

    def begin(self, sites: Sequence[Site]) -> Mapping[Place, Bound]:
        """Those for the start: `bind`, with what a supervisor has for us looked through.

        Raises ListenFault, also where something was handed over that nobody can listen at.
        """
        self._inherited.open()
        wanted = (listen for site in sites for listen in site.listen)
        self._store.forget(self._inherited.evict(wanted))
        found = self.bind(sites)
        self._inherited.warn_of_unwanted()
        return found

    def bind(self, sites: Iterable[Site]) -> Mapping[Place, Bound]:
        """A socket for each address of `sites`: the one in use, else a new one.

        Raises ListenFault, with nothing bound. Otherwise `use` or `drop` must follow.
        """
        found: dict[Place, Bound] = {}
        try:
            for place, (listen, names) in _places(sites).items():
                for number, handed in enumerate(self._at(place)):
                    one = place._replace(number=place.number + number)
                    found[one] = self._bound(listen, tuple(names), handed)
        except ListenFault:
            self.drop(found)
            raise
        return found

    def _at(self, place: Place) -> Iterator[Handed]:
        """The sockets of a place: one, but of a name all that there are."""
        listen = place.listen
        in_use = self._in_use_at(place)
        if in_use:
            yield from in_use
        elif listen.name is not None:
            is_inherited = self._inherited.has(listen.name)
            left = () if is_inherited else self._left_at(place)
            yield from left or self._inherited.named(listen.name)
        else:
            yield (
                self._inherited.at(listen)
                or next(iter(self._left_at(place)), None)
                or Handed(bind(listen), is_given=False)
            )

    def _left_at(self, place: Place) -> Sequence[Handed]:
        """What others have left of a place, as long as nobody has it."""
        is_named = place.listen.name is not None
        there = [
            one for one in self._left if one == place or (is_named and one.listen == place.listen)
        ]
        found = [self._left.pop(one) for one in there]
        return [Handed(one.sock, one.is_given) for one in found]

    def _in_use_at(self, place: Place) -> Sequence[Handed]:
        if place.listen.name is None:
            found = [self._in_use[place]] if place in self._in_use else []
        else:
            found = [one for there, one in self._in_use.items() if there.listen == place.listen]
        return [Handed(one.sock, one.is_given) for one in found]

    def _bound(self, listen: Listen, names: tuple[str, ...], handed: Handed) -> Bound:
        sock, is_given = handed
        known = {one.sock: one.key for one in self._in_use.values()}
        key = known.get(sock) or next(self._keys)
        if sock not in known and listen.path is not None and not is_given:
            self._files[key] = identity(listen.path)
        return Bound(listen, names, sock, is_given, key)

    def use(self, bound: Mapping[Place, Bound]) -> None:
        """These are in use from now on; `release` must follow."""
        self._dropped += [self._in_use[place] for place in self._in_use.keys() - bound.keys()]
        self._in_use = bound
        self._store.keep(bound.values())

    def stop(self) -> None:
        """Close all; what the store has, it keeps for who comes after us."""
        self._store = SocketStore(Notify())
        self.use({})
        self.release()

    def release(self) -> None:
        """Close those that are not in use any more: nobody accepts there now."""
        dropped, self._dropped = self._dropped, []
        for one in dropped:
            self._close(one)

    def drop(self, bound: Mapping[Place, Bound]) -> None:
        """Close those of `bound` that are not in use."""
        for place in bound.keys() - self._in_use.keys():
            self._close(bound[place])

    def _close(self, one: Bound) -> None:
        self._store.drop(one)
        one.sock.close()
        if one.listen.path is not None and one.sock not in self._borrowed:
            remove(one.listen.path, self._files.pop(one.key, None))


def _places(sites: Iterable[Site]) -> dict[Place, tuple[Listen, list[str]]]:
    """Each address of `sites` with the names of those there, in their order."""
    found: dict[Place, tuple[Listen, list[str]]] = {}
    for site in sites:
        for listen in site.listen:
            found.setdefault(_place(listen, site.name, found), (listen, []))[1].append(site.name)
    return found


def _is_whole(one: Bound) -> bool:
    """Whether visitors find it: the file of a UNIX socket may have been removed."""
    return one.listen.path is None or identity(one.listen.path) is not None


def _place(listen: Listen, site: str, taken: Iterable[Place]) -> Place:
    if listen.port or listen.path is not None or listen.name is not None:
        return Place(replace(listen, tls=False, proxy=False))
    mine = [place for place in taken if place.listen == listen and place.site == site]
    return Place(listen, site, len(mine))
