"""Literal addresses, members' own names, and socket names as Twisted's addresses."""

from __future__ import annotations

import ipaddress

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from sorryd.model import Member

Address = IPv4Address | IPv6Address | UNIXAddress
SocketName = tuple[str, int] | tuple[str, int, int, int] | str | bytes
"""What `getsockname` and `getpeername` give: of a UNIX socket its path, empty for most peers."""


def is_address(host: str) -> bool:
    """Whether `host` is an IPv4 or IPv6 literal."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def authority(member: Member) -> bytes:
    """The member's own host and port, as Host says them (RFC 9110 §7.2)."""
    host = f"[{member.host}]" if ":" in member.host else member.host
    default = 443 if member.tls else 80
    return (host if member.port == default else f"{host}:{member.port}").encode()


def address_of(name: SocketName) -> Address:
    """A socket name as Twisted's address; an IPv4 address mapped into IPv6 as IPv4."""
    if isinstance(name, str | bytes):
        return UNIXAddress(name or None)
    host, port = name[0], name[1]
    if ":" not in host:
        return IPv4Address("TCP", host, port)
    if host.startswith("::ffff:") and "." in host:
        return IPv4Address("TCP", host[7:], port)
    return IPv6Address("TCP", host.partition("%")[0], port)
