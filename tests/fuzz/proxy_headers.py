"""Headers of the PROXY protocol: whatever the bytes and the cuts, read exactly or refused."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from random import Random
from typing import Final

from tests.fuzz.case import Case, FaultFound, Line, Tally, all_of
from tests.fuzz.mutations import cut, mutated

from sorryd.edge.proxy_protocol import LONGEST_BLOCK, SIGNATURE, BadProxyHeader, ProxyHeader

_HEADERS: Final = (
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
    b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN x y\r\n", SIGNATURE + b"\x20\x00\x00\x00",
    SIGNATURE + b"\x21\x11\x00\x0c" + bytes(12), SIGNATURE + b"\x21\x21\x00\x24" + bytes(36),
    SIGNATURE + b"\x21\x11\x00\x0f\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02\x04\x00\x00",
    SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216), SIGNATURE + b"\x21\x00\x00\x00",
)  # fmt: skip
_ODD: Final = (
    b"PROXY ",
    b"TCP4",
    b"65536",
    b"00",
    b"::ffff:1.2.3.4",
    b"\xff\xff",
    b"fe80::1%1",
    SIGNATURE,
)


class ProxyHeaders:
    """Headers of the PROXY protocol. Lines: ``says`` for each piece."""

    name = "proxy"

    def make(self, random: Random) -> Case:
        """See case.Property."""
        data = random.choice(_HEADERS)
        if random.random() < 0.8:
            data = mutated(random, data, _ODD)
        data += random.choice((b"", b"GET / HTTP/1.1\r\n", random.choice(_HEADERS)))
        return tuple(Line("says", piece) for piece in cut(random, data))

    def check(self, case: Case, tally: Tally) -> None:
        """However it is cut: the same address, the same end, or the same refusal."""
        pieces = tuple(all_of(case, "says"))
        whole = _proxy_header((b"".join(pieces),))
        if (in_pieces := _proxy_header(pieces)) != whole:
            raise FaultFound(f"cut otherwise it is another: {in_pieces} for {whole}")
        tally("headers" if isinstance(whole, tuple) else "refused")


def _proxy_header(pieces: Sequence[bytes]) -> tuple[str | None, int] | None:
    """The address, and how many bytes the header has; None where it is refused."""
    header, size = ProxyHeader(), 0
    for piece in pieces:
        try:
            taken = header.feed(piece)
        except BadProxyHeader:
            return None
        size += taken
        if not 0 <= taken <= len(piece) or size > LONGEST_BLOCK + 16:
            raise FaultFound(f"takes what is not its own: {taken} of {piece!r}")
        if header.done:
            break
    if header.address is not None and not (header.done and is_address(header.address)):
        raise FaultFound(f"no address: {header.address!r}")
    return (header.address, size) if header.done else ("", size)


def is_address(text: str) -> bool:
    """Whether it is one, in its usual form."""
    return str(ipaddress.ip_address(text)) == text
