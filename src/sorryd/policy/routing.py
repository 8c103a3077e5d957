"""Which of the sites at one address a request is for, by the name in its Host.

An exact name comes before a wildcard, and a longer wildcard before a shorter one, as nginx has
it. ``*.shop.example`` is for one label or more before ``.shop.example``, and not for that name
itself. A Host that no site names goes to the first site that names none, else to the first site.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

LONGEST_NAME: Final = 253
"""Bytes of a domain name (RFC 1035 §2.3.4, as text and without the last dot)."""


def without_port(host: bytes) -> bytes:
    """A Host without its port; the brackets of an IPv6 address stay (RFC 3986 §3.2.2)."""
    if host[:1] == b"[":
        address, bracket, _ = host.partition(b"]")
        return address + bracket
    return host.partition(b":")[0]


def host_name(host: bytes) -> bytes:
    """What a Host is about, in one spelling of the many that it may have.

    A name in lower case, without port and one dot at its end; an IPv6 address in brackets, in
    its shortest spelling.
    """
    name = without_port(host).lower()
    return _shortest(name) if name[:1] == b"[" else name.removesuffix(b".")


def _shortest(literal: bytes) -> bytes:
    try:
        address = ipaddress.IPv6Address(literal.strip(b"[]").decode("ascii"))
    except ValueError:
        return literal
    return b"[%b]" % str(address).encode("ascii")


class Routes:
    """The sites of one address, by their names; each is told by its place."""

    def __init__(self, hosts: Sequence[Sequence[str]]) -> None:
        """`hosts` are those of each site, in lower case, at least one site.

        A name that two sites have is the first one's.
        """
        self._exact: dict[bytes, int] = {}
        self._below: dict[bytes, int] = {}  # by what follows the "*"
        self._others = next((place for place, names in enumerate(hosts) if not names), 0)
        for place, names in enumerate(hosts):
            for name in names:
                plain = name.encode("ascii").removesuffix(b".")
                if plain.startswith(b"*."):
                    self._below.setdefault(plain[1:], place)
                else:
                    self._exact.setdefault(plain, place)

    def find(self, name: bytes) -> int:
        """The place of the site for `name`, which is as `host_name` gives it."""
        place = self.named(name)
        return self._others if place is None else place

    def named(self, name: bytes) -> int | None:
        """... None where no site names it, neither whole nor by a wildcard."""
        place = self._exact.get(name)
        if place is None and self._below and len(name) <= LONGEST_NAME:
            return self._wild(name)
        return place

    def _wild(self, name: bytes) -> int | None:
        at = name.find(b".", 1)  # before it is one label, or more later
        while at > 0:
            place = self._below.get(name[at:])
            if place is not None:
                return place
            at = name.find(b".", at + 1)
        return None
