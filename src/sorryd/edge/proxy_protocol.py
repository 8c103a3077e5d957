"""The PROXY protocol, versions 1 and 2: where a proxy says for whom it connects.

Source: doc/proxy-protocol.txt of HAProxy, 2020/03/05, "the specification" below. Bytes in, an
address or `BadProxyHeader` out; it reads nothing by itself (see introduction.py).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
"""How version 2 begins."""

LONGEST_LINE: Final = 107
"""Bytes of a header of version 1, its line end among them."""

LONGEST_BLOCK: Final = 4096
"""Bytes that may follow the fixed part of version 2: the addresses and all TLVs. A limit of ours;
the specification wants all of a header to fit in one small packet."""

_FIXED: Final = 16  # bytes of version 2 before the addresses
_LINE: Final = b"PROXY "
_UNKNOWN: Final = b"PROXY UNKNOWN"
_line: Final = re.compile(
    rb"PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+)"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n"
).fullmatch

_LOCAL: Final = 0x20  # version and command
_PROXY: Final = 0x21
_IPV4, _IPV6, _UNIX = 1, 2, 3  # families; 0: unspecified
_DATAGRAM: Final = 2  # the highest protocol; 1: stream, 0: unspecified
_SIZES: Final = {_IPV4: 12, _IPV6: 36, _UNIX: 216}  # bytes of both addresses and ports
_WIDTHS: Final = {_IPV4: 4, _IPV6: 16}  # of one address

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class BadProxyHeader(Exception):
    """No header of the PROXY protocol; the text says why."""


class ProxyHeader:
    """Reads one header, however it is cut.

    When it `done`, `address` is the visitor's, without port or zone; None where it is that of the
    connection itself: LOCAL, UNKNOWN, and families that are no IP.
    """

    def __init__(self) -> None:
        self.done = False
        self.address: str | None = None
        self._held = b""

    @property
    def began(self) -> bool:
        """Whether there is a part of it."""
        return bool(self._held)

    def feed(self, data: bytes) -> int:
        """How many bytes of `data` belong to the header: all of them until it is done.

        What follows the header is never counted. Raises BadProxyHeader, as soon as it is sure.
        """
        before = len(self._held)
        self._held += data
        size = _size(self._held)
        if size is None or len(self._held) < size:
            return len(data)
        header = self._held[:size]
        self.address = _of_line(header) if header.startswith(_LINE) else _of_block(header)
        self.done = True
        return size - before


def _size(held: bytes) -> int | None:
    """Bytes of the whole header that `held` begins with; None while that can't be told."""
    if held[: len(_LINE)] == _LINE[: len(held)]:
        end = held.find(b"\r\n", 0, LONGEST_LINE)
        if end < 0 and len(held) >= LONGEST_LINE:
            raise BadProxyHeader("its first line is too long")
        return end + 2 if end >= 0 else None
    if held[: len(SIGNATURE)] != SIGNATURE[: len(held)]:
        raise BadProxyHeader("it does not begin with the PROXY protocol")
    if len(held) < _FIXED:
        return None
    block = int.from_bytes(held[14:_FIXED])
    if block > LONGEST_BLOCK:
        raise BadProxyHeader("its header is too long")
    return _FIXED + block


# --- version 1 --------------------------------------------------------------------------


def _of_line(line: bytes) -> str | None:
    if line == _UNKNOWN + b"\r\n" or line.startswith(_UNKNOWN + b" "):
        return None  # whatever follows is to be ignored
    found = _line(line)
    if found is None:
        raise BadProxyHeader("a malformed line")
    kind = ipaddress.IPv6Address if found[1] == b"6" else ipaddress.IPv4Address
    try:
        source, _ = (kind(address.decode("ascii")) for address in found.group(2, 3))
    except ValueError:
        raise BadProxyHeader("a malformed address") from None
    if max(map(int, found.group(4, 5))) > 65535:
        raise BadProxyHeader("a port above 65535")
    return _spelt(source)


# --- version 2 --------------------------------------------------------------------------


def _of_block(header: bytes) -> str | None:
    command, family, protocol = header[12], header[13] >> 4, header[13] & 0xF
    if command == _LOCAL:
        return None  # the family is to be ignored
    if command != _PROXY:
        raise BadProxyHeader("an unknown version or command")
    if family > _UNIX or protocol > _DATAGRAM:
        raise BadProxyHeader("an unknown family or protocol")
    if len(header) - _FIXED < _SIZES.get(family, 0):
        raise BadProxyHeader("its addresses are cut short")
    if not protocol or family not in _WIDTHS:
        return None
    return _spelt(ipaddress.ip_address(header[_FIXED : _FIXED + _WIDTHS[family]]))


def _spelt(address: _Address) -> str:
    """As `accept` tells it. An IPv4 address in IPv6's clothes is an IPv4 address, so that no rule
    for networks is passed by."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
