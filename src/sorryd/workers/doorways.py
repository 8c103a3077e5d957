"""The listening sockets of one edge: descriptors of its own, for what others have bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from socket import socket

from sorryd.edge.listener import Bound
from sorryd.model import Listen

Doorway = tuple[int, Listen, tuple[str, ...]]
"""A key, what is said of the socket, and the names of the sites that are there."""


class Doorways:
    """Those in use, by their keys. Who accepts at one closes it when it is not wanted any more."""

    def __init__(self, *, is_shared: bool) -> None:
        """Whether the sockets are shared with other edges that accept."""
        self._is_shared = is_shared
        self._socks: dict[int, socket] = {}

    def has(self, key: int) -> bool:
        """Whether the socket of that key is here."""
        return key in self._socks

    def exchange(self, wanted: Iterable[Doorway], new: Mapping[int, socket]) -> list[Bound]:
        """Those that are `wanted` from now on; `new` are the ones not here before."""
        known = {**self._socks, **new}
        bound = [
            Bound(listen, sites, known[key], key=key, is_shared=self._is_shared)
            for key, listen, sites in wanted
        ]
        self._socks = {one.key: one.sock for one in bound}
        return bound
