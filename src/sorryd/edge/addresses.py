"""Literal addresses, and socket names as Twisted's addresses."""

from __future__ import annotations

import ipaddress

from twisted.internet.address import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address


def is_address(host: str) -> bool:
    """Whether `host` is an IPv4 or IPv6 literal."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def address_of(name: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    """A socket name as Twisted's address; an IPv4 address mapped into IPv6 as IPv4."""
    host, port = name[0], name[1]
    if ":" not in host:
        return IPv4Address("TCP", host, port)
    if host.startswith("::ffff:") and "." in host:
        return IPv4Address("TCP", host[7:], port)
    return IPv6Address("TCP", host.partition("%")[0], port)
