"""Headers of the PROXY protocol, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.proxy_headers import BLOCK, LINE, SIGNATURE, addresses, block

from sorryd.edge.proxy_protocol import LONGEST_BLOCK, LONGEST_LINE, BadProxyHeader, ProxyHeader

FOUR = addresses("192.0.2.9", "198.51.100.1")
SIX = addresses("2001:db8::9", "2001:db8::1")
PATHS = b"/run/a.sock".ljust(108, b"\0") * 2
TLV = b"\x04\x00\x03abc"  # NOOP
WORST = b"PROXY UNKNOWN " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n"

GOOD = [
    pytest.param(LINE, "192.0.2.9", id="TCP4"),
    pytest.param(b"PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", "255.255.255.255", id="ends"),
    pytest.param(b"PROXY TCP6 2001:db8::9 ::1 1 2\r\n", "2001:db8::9", id="TCP6"),
    pytest.param(b"PROXY TCP6 2001:DB8:0:0:0:0:0:9 ::1 1 2\r\n", "2001:db8::9", id="long TCP6"),
    pytest.param(b"PROXY TCP6 ::ffff:192.0.2.9 ::1 1 2\r\n", "192.0.2.9", id="IPv4 as TCP6"),
    pytest.param(b"PROXY UNKNOWN\r\n", None, id="UNKNOWN"),
    pytest.param(b"PROXY UNKNOWN what\never\r \xff\r\n", None, id="UNKNOWN, and more"),
    pytest.param(WORST, None, id="the longest line"),
    pytest.param(block(0x21, 0x11, FOUR), "192.0.2.9", id="v2 TCP4"),
    pytest.param(block(0x21, 0x12, FOUR), "192.0.2.9", id="v2 UDP4"),
    pytest.param(BLOCK, "2001:db8::9", id="v2 TCP6"),
    pytest.param(block(0x21, 0x22, SIX), "2001:db8::9", id="v2 UDP6"),
    pytest.param(
        block(0x21, 0x21, addresses("::ffff:192.0.2.9", "::1")), "192.0.2.9", id="v2 IPv4 as TCP6"
    ),
    pytest.param(block(0x21, 0x11, FOUR + TLV), "192.0.2.9", id="v2 TLV"),
    pytest.param(block(0x21, 0x21, SIX + TLV * 9), "2001:db8::9", id="v2 TLVs"),
    pytest.param(block(0x21, 0x31, PATHS), None, id="v2 UNIX"),
    pytest.param(block(0x21, 0x32, PATHS + TLV), None, id="v2 UNIX datagrams"),
    pytest.param(block(0x21, 0x00, b""), None, id="v2 UNSPEC"),
    pytest.param(block(0x21, 0x00, FOUR), None, id="v2 UNSPEC with addresses"),
    pytest.param(block(0x21, 0x10, FOUR), None, id="v2 unspecified protocol"),
    pytest.param(block(0x20, 0x00, b""), None, id="v2 LOCAL"),
    pytest.param(block(0x20, 0x11, FOUR + TLV), None, id="v2 LOCAL with addresses"),
    pytest.param(block(0x20, 0x99, b"?"), None, id="v2 LOCAL: the family is ignored"),
    pytest.param(block(0x21, 0x00, bytes(LONGEST_BLOCK)), None, id="v2 the longest"),
]
BAD = [
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", "does not begin with", id="HTTP"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", "does not begin with", id="TLS"),
    pytest.param(b"POST / HTTP/1.1\r\n\r\n", "does not begin with", id="the same first letter"),
    pytest.param(b"\r\n\r\nGET", "does not begin with", id="empty lines"),
    pytest.param(b"proxy TCP4 192.0.2.9 192.0.2.1 1 2\r\n", "does not begin with", id="case"),
    pytest.param(b"PROXY  TCP4 192.0.2.9 192.0.2.1 1 2\r\n", "malformed line", id="two spaces"),
    pytest.param(b"PROXY TCP4 192.0.2.9 192.0.2.1 1 2 \r\n", "malformed line", id="last space"),
    pytest.param(b"PROXY TCP4 192.0.2.9 192.0.2.1 1\r\n", "malformed line", id="a port missing"),
    pytest.param(b"PROXY TCP4 192.0.2.9 192.0.2.1 01 2\r\n", "malformed line", id="octal port"),
    pytest.param(b"PROXY TCP4 192.0.2.9 192.0.2.1 +1 2\r\n", "malformed line", id="signed port"),
    pytest.param(b"PROXY TCP4 192.0.2.9 192.0.2.1 1 65536\r\n", "port above", id="large port"),
    pytest.param(b"PROXY TCP4 192.0.2.9 192.0.2.1 123456 1\r\n", "malformed line", id="long port"),
    pytest.param(b"PROXY TCP4 192.0.02.9 192.0.2.1 1 2\r\n", "malformed addr", id="octal address"),
    pytest.param(b"PROXY TCP4 192.0.2.9 192.0.2 1 2\r\n", "malformed addr", id="short target"),
    pytest.param(b"PROXY TCP4 ::1 ::1 1 2\r\n", "malformed addr", id="IPv6 for IPv4"),
    pytest.param(b"PROXY TCP6 192.0.2.9 ::1 1 2\r\n", "malformed addr", id="IPv4 for IPv6"),
    pytest.param(b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "malformed line", id="zone"),
    pytest.param(b"PROXY TCP5 192.0.2.9 192.0.2.1 1 2\r\n", "malformed line", id="TCP5"),
    pytest.param(b"PROXY UDP4 192.0.2.9 192.0.2.1 1 2\r\n", "malformed line", id="UDP4"),
    pytest.param(b"PROXY UNKNOWNS\r\n", "malformed line", id="UNKNOWNS"),
    pytest.param(b"PROXY \r\n", "malformed line", id="nothing"),
    pytest.param(LINE.replace(b"\r\n", b"\n\r\n"), "malformed line", id="a line feed before"),
    pytest.param(LINE[:-2] + b"\n" + b"x" * 99, "too long", id="a line feed alone"),
    pytest.param(b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", "too long", id="one byte too long"),
    pytest.param(block(0x11, 0x11, FOUR), "version or command", id="v2 version 1"),
    pytest.param(block(0x31, 0x11, FOUR), "version or command", id="v2 version 3"),
    pytest.param(block(0x22, 0x11, FOUR), "version or command", id="v2 unknown command"),
    pytest.param(block(0x21, 0x41, FOUR), "family or protocol", id="v2 unknown family"),
    pytest.param(block(0x21, 0x13, FOUR), "family or protocol", id="v2 unknown protocol"),
    pytest.param(block(0x21, 0x11, FOUR[:-1]), "cut short", id="v2 short TCP4"),
    pytest.param(block(0x21, 0x21, SIX[:-1]), "cut short", id="v2 short TCP6"),
    pytest.param(block(0x21, 0x31, PATHS[:-1]), "cut short", id="v2 short UNIX"),
    pytest.param(block(0x21, 0x11, b"", LONGEST_BLOCK + 1), "too long", id="v2 too long"),
    pytest.param(SIGNATURE[:-1] + b"\r!\x11\x00\x00", "does not begin with", id="v2 signature"),
]
FOLLOWING = [
    pytest.param(b"", id="alone"),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
    pytest.param(LINE, id="a second header"),
    pytest.param(b"\r\n" * 60, id="line ends"),
    pytest.param(bytes(5000), id="zeros"),
]


@pytest.mark.parametrize("following", FOLLOWING)
@pytest.mark.parametrize(("data", "address"), GOOD)
def test_whole(data: bytes, address: str | None, following: bytes) -> None:
    """A header in one piece: the address, and not one byte of what follows is taken."""
    header = ProxyHeader()
    assert not header.began
    assert header.feed(data + following) == len(data)
    assert (header.done, header.address) == (True, address)


@pytest.mark.parametrize(("data", "address"), GOOD)
def test_bytewise(data: bytes, address: str | None) -> None:
    """Byte by byte it comes to the same, at its last byte and not before."""
    header = ProxyHeader()
    for byte in data:
        assert not header.done
        assert header.feed(bytes([byte])) == 1
    assert (header.done, header.address) == (True, address)


@given(st.sampled_from([LINE, WORST, BLOCK]), st.lists(st.integers(0, 110), max_size=4))
def test_cut_anywhere(data: bytes, cuts: list[int]) -> None:
    """However it is cut, the pieces taken are the header."""
    header, whole, at = ProxyHeader(), data + b"\r\nmore", 0
    for cut in [*sorted(cuts), len(whole)]:
        if not header.done:
            at += header.feed(whole[at : max(at, cut)])
    assert (header.done, at) == (True, len(data))


def feed_all(header: ProxyHeader, data: bytes, step: int) -> None:
    for at in range(0, len(data), step):
        header.feed(data[at : at + step])


@pytest.mark.parametrize(("data", "why"), BAD)
@pytest.mark.parametrize("step", [1, 9999])
def test_bad(data: bytes, why: str, step: int) -> None:
    """What is no header is refused, whole or byte by byte, with a reason."""
    header = ProxyHeader()
    with pytest.raises(BadProxyHeader, match=why):
        feed_all(header, data, step)
    assert not header.done


@pytest.mark.parametrize("data", [b"G", b"\x16", b"PA", b"\r\n\n", SIGNATURE[:-1] + b"x"])
def test_refused_at_once(data: bytes) -> None:
    """Nobody waits for the rest of what can't become a header."""
    with pytest.raises(BadProxyHeader):
        ProxyHeader().feed(data)


@given(st.binary(max_size=300))
def test_memory(data: bytes) -> None:
    """Whatever follows a signature, no more is kept than the longest header."""
    for start in (b"PROXY ", SIGNATURE, BLOCK[:14]):
        header, taken = ProxyHeader(), 0
        try:
            for _ in range(50):
                if not header.done:
                    taken += header.feed(start + data if not taken else data)
        except BadProxyHeader:
            pass
        assert taken <= LONGEST_BLOCK + 16 + LONGEST_LINE + len(data)
