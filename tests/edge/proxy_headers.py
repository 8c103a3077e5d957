"""Headers of the PROXY protocol, as a proxy writes them."""

from __future__ import annotations

import socket

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LINE = b"PROXY TCP4 192.0.2.9 198.51.100.1 56324 443\r\n"


def block(command: int, family: int, rest: bytes, length: int | None = None) -> bytes:
    """Version 2; `command` has the version in it, `family` the protocol."""
    size = len(rest) if length is None else length
    return SIGNATURE + bytes([command, family]) + size.to_bytes(2) + rest


def addresses(source: str, target: str, tlvs: bytes = b"") -> bytes:
    """What follows the fixed part of version 2 for two IP addresses."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    both = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    return both + (56324).to_bytes(2) + (443).to_bytes(2) + tlvs


BLOCK = block(0x21, 0x21, addresses("2001:db8::9", "2001:db8::1"))
