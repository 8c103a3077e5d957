"""Socket names as Twisted's addresses."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address


def address_of(name: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    """A socket name as Twisted's address; an IPv4 address mapped into IPv6 as IPv4."""
    host, port = name[0], name[1]
    if ":" not in host:
        return IPv4Address("TCP", host, port)
    if host.startswith("::ffff:") and "." in host:
        return IPv4Address("TCP", host[7:], port)
    return IPv6Address("TCP", host.partition("%")[0], port)
