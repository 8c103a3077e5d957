"""The listening sockets of one edge: descriptors of its own, for what others have bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from socket import socket

from sorryd.edge.listener import Bound
from sorryd.model import Listen

Doorway = tuple[int, Listen, tuple[str, ...], bool]
"""A key, what is said of the socket, the names of the sites there, and whether it `is_given`."""


class Doorways:
    """Those in use, by their keys. Who accepts at one closes it when it is not wanted any more."""

    def __init__(self, *, is_shared: bool) -> None:
        """Whether the sockets are shared with other edges that accept."""
        self._is_shared = is_shared
        self._bound: dict[int, Bound] = {}

    @property
    def open(self) -> Sequence[Bound]:
        """Those that are accepted at."""
        return [one for one in self._bound.values() if one.sock.fileno() >= 0]

    def has(self, key: int) -> bool:
        """Whether the socket of that key is here."""
        return key in self._bound

    def exchange(self, wanted: Iterable[Doorway], new: Mapping[int, socket]) -> list[Bound]:
        """Those that are `wanted` from now on; `new` are the ones not here before."""
        known = {**{key: one.sock for key, one in self._bound.items()}, **new}
        bound = [
            Bound(listen, sites, known[key], is_given, key, is_shared=self._is_shared)
            for key, listen, sites, is_given in wanted
        ]
        self._bound = {one.key: one for one in bound}
        return bound
