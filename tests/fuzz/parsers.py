"""Small readers of what strangers send: whatever the bytes, they never raise, and stay exact."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from random import Random
from typing import Final

from tests.fuzz import answers, requests
from tests.fuzz.case import Case, Line, Tally, Wrong, all_of, one_of
from tests.fuzz.judging import is_combined
from tests.fuzz.mutations import cut, mutated

from sorryd.edge.access import Access, End
from sorryd.edge.heads import RequestHead
from sorryd.edge.proxy_protocol import LONGEST_BLOCK, SIGNATURE, BadProxyHeader, ProxyHeader
from sorryd.model import LogFormat, Member
from sorryd.policy.forwarding import Forwarding, Trusted
from sorryd.policy.locations import Reverse
from sorryd.policy.sticky import Cookies

_HEADERS: Final = (
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
    b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN x y\r\n", SIGNATURE + b"\x20\x00\x00\x00",
    SIGNATURE + b"\x21\x11\x00\x0c" + bytes(12), SIGNATURE + b"\x21\x21\x00\x24" + bytes(36),
    SIGNATURE + b"\x21\x11\x00\x0f\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02\x04\x00\x00",
    SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216), SIGNATURE + b"\x21\x00\x00\x00",
)  # fmt: skip
_ODD: Final = (b"PROXY ", b"TCP4", b"65536", b"00", b"::ffff:1.2.3.4", b"\xff\xff", b"fe80::1%1", SIGNATURE)


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

    def from_bytes(self, data: bytes) -> Case:
        """See case.Property."""
        return tuple(Line("says", piece) for piece in cut(Random(data[:2]), data[2:]))

    def check(self, case: Case, tally: Tally) -> None:
        """However it is cut: the same address, the same end, or the same refusal."""
        pieces = tuple(all_of(case, "says"))
        whole = _proxy_header((b"".join(pieces),))
        if (in_pieces := _proxy_header(pieces)) != whole:
            raise Wrong(f"cut otherwise it is another: {in_pieces} for {whole}")
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
            raise Wrong(f"takes what is not its own: {taken} of {piece!r}")
        if header.done:
            break
    if header.address is not None and not (header.done and _is_address(header.address)):
        raise Wrong(f"no address: {header.address!r}")
    return (header.address, size) if header.done else ("", size)


def _is_address(text: str) -> bool:
    return str(ipaddress.ip_address(text)) == text


# --- lines of a request -----------------------------------------------------------------

_CLAIMS: Final = (
    b"X-Forwarded-For: 10.0.0.1, 203.0.113.9", b"X-Forwarded-For: [2001:db8::1]:80, unknown, _x:1",
    b"X-Forwarded-Proto: https, http", b"X-Forwarded-Host: a.example:8080", b"X-Forwarded-Port: 1",
    b'Forwarded: for="[2001:db8::1]:80";proto=https;host=a, for=10.0.0.1', b"Forwarded: for=_a;by=b",
    b"Forwarded: For=10.0.0.9;For=1.1.1.1", b"X-Real-IP: 1.2.3.4", b"Forwarded: proto=http",
    b"Cookie: SRV=abc; b=c", b"cookie:SRV=;SRV=x", b'Cookie: a="; SRV=1', b"Cookie:", b"Referer: \xff",
    b"User-Agent: \x80\"\\", b"X-Request-ID: a\x80", b"X_Request-ID: a", b"A:b",
)  # fmt: skip
_CLAIM_WORDS: Final = (
    b",", b";", b"=", b'"', b"for=", b"unknown", b"::ffff:1.2.3.4", b"_", b"%eth0", b":99999", b"10.0.0.1",
    b", , ,", b"\\", b"[", b"]", b"SRV=", b"SRV", b"proto=https", b"host=", b"host=a", b"1.2.3.04",
)  # fmt: skip


class HeadLines:
    """The lines of a request with claims and cookies, and its line in the log.

    Lines: ``line`` for each, ``host``, ``target`` and ``client``.
    """

    name = "lines"

    def __init__(self) -> None:
        self._trusted = Trusted(("10.0.0.0/8", "unix"))
        self._cookies = Cookies(b"key", "shop", "SRV", ["http://a", "http://b"])
        self._logged: list[bytes] = []
        self._logs = [
            Access(self._logged.append, form, "UTC", lambda: 1e9, lambda: 1.0) for form in LogFormat
        ]

    def make(self, random: Random) -> Case:
        """See case.Property."""
        lines = [_damaged(random, line) for line in random.choices(_CLAIMS, k=random.randint(0, 5))]
        return (
            Line("client", random.choice((b"10.0.0.1", b"192.0.2.1", b"", b"::1", b"::ffff:10.0.0.2"))),
            Line("host", random.choice((b"", b"a", b"a.example:80", b"[::1]"))),
            Line("target", b"/" + random.randbytes(random.randint(0, 4))),
            *(Line("line", line) for line in lines),
        )

    def from_bytes(self, data: bytes) -> Case:
        """See case.Property."""
        client = Line("client", b"10.0.0.1")
        return (client, *(Line("line", line) for line in data.split(b"\n")))

    def check(self, case: Case, tally: Tally) -> None:
        """What a member is told is whole lines, and the log has one line for a request."""
        head = _head(case)
        client = one_of(case, "client").decode("ascii", "ignore")
        if client and not all(c in "0123456789abcdef.:" for c in client):
            return
        forwarding = Forwarding(client, False, self._trusted)
        told = forwarding.lines(head)
        if told and not told.endswith(b"\r\n"):
            raise Wrong(f"told: no whole lines: {told!r}")
        if (len(told.split(b"\r\n")) - 1, told.count(b"\n")) != (told.count(b"\r"),) * 2:
            raise Wrong(f"told: broken lines: {told!r}")
        believed = forwarding.client(head)
        if believed not in ("", client) and not _is_address(believed):
            raise Wrong(f"believed: no address: {believed!r}")
        forwarding.is_secure(head)
        tally("believed" if believed != client else "not believed")
        self._check_cookies(head)
        self._check_log(head, believed, tally)

    def _check_cookies(self, head: RequestHead) -> None:
        before = list(head.lines)
        self._cookies.member(head)
        if any(not line for line in head.lines):
            raise Wrong(f"cookies: an empty line: {head.lines}")
        if 0 <= head.host_at and not head.lines[head.host_at].lower().startswith(b"host:"):
            raise Wrong(f"cookies: another line is Host now: {head.lines} of {before}")
        others = [line for line in before if line[:7].lower() != b"cookie:"]
        if [line for line in head.lines if line[:7].lower() != b"cookie:"] != others:
            raise Wrong(f"cookies: other lines were touched: {head.lines} of {before}")

    def _check_log(self, head: RequestHead, client: str, tally: Tally) -> None:
        for log in self._logs:
            self._logged.clear()
            for known in (head, None):
                record = log.begin(known, client, False, True)
                record.received = head.target
                record.finish(End.DONE)
        # The last log is JSON's, so each line of it is an object.
            for line in self._logged:
                _check_line(line)
                tally("log lines")


def _check_line(line: bytes) -> None:
    if line.count(b"\n") != 1 or not line.endswith(b"\n") or not line.isascii():
        raise Wrong(f"log: not one line: {line!r}")
    if not line[:-1].decode("ascii").isprintable():
        raise Wrong(f"log: not printable: {line!r}")
    if line.startswith(b"{"):
        json.loads(line)
    elif is_combined(line) is None:
        raise Wrong(f"log: a malformed line: {line!r}")


def _damaged(random: Random, line: bytes) -> bytes:
    """A line, damaged as far as it could still come: not its name, and with no line ends."""
    name, colon, value = line.partition(b":")
    if random.random() < 0.7:
        value = mutated(random, value, _CLAIM_WORDS)
    return name + colon + value


def _head(case: Case) -> RequestHead:
    """A head with these lines, as the reader of heads could have made it."""
    head = RequestHead(b"GET", bytes(filter(_may_stand, one_of(case, "target", b"/"))) or b"/", 1)
    head.host = one_of(case, "host")
    head.lines, head.host_at = [b"Host: " + head.host], 0
    for line in all_of(case, "line"):
        name, colon, value = line.partition(b":")
        if not (colon and name.replace(b"-", b"").replace(b"_", b"").isalnum()):
            continue
        line = name + b":" + bytes(byte for byte in value if byte == 9 or _may_stand(byte) or byte == 32)
        if name.lower().startswith((b"x-f", b"forwarded", b"x-real")):
            head.claims = [*(head.claims or ()), line]
        else:
            head.lines.insert(0 if len(line) % 2 else len(head.lines), line)
            head.host_at += len(line) % 2
    return head


def _may_stand(byte: int) -> bool:
    return 0x21 <= byte <= 0x7E or byte >= 0x80


# --- lines of an answer -----------------------------------------------------------------

_LOCATED: Final = (
    *(line for line in answers.GOOD if line.startswith((b"Loc", b"Ref", b"Set"))), b"URI: <http://a/app>",
    b"Location: /app/x", b"Content-Location: HTTP://A:80/app?q", b"Location: http://a:081/", b"Refresh: 5",
)  # fmt: skip
_URL_WORDS: Final = (b"//", b"/app", b"http://a/app", b":80", b"\\", b"?", b"#", b"Domain=", b"Path=", b";", b"<")


class Locations:
    """Where answers point to. Lines: ``line`` for each, and ``host``."""

    name = "locations"

    def __init__(self) -> None:
        self._reverse = Reverse((Member(url="http://a/app", host="a", port=80, path="/app"),))

    def make(self, random: Random) -> Case:
        """See case.Property."""
        lines = (mutated(random, line, _URL_WORDS) for line in random.choices(_LOCATED, k=2))
        host = Line("host", random.choice((b"", b"b.example", b"b:81", b"[::1]:80")))
        return (host, *(Line("line", line) for line in lines))

    def from_bytes(self, data: bytes) -> Case:
        """See case.Property."""
        return (Line("host", b"b.example"), *(Line("line", line) for line in data.split(b"\n")))

    def check(self, case: Case, tally: Tally) -> None:
        """Nothing but values changes, no control byte is made, and once is as good as twice."""
        lines = list(all_of(case, "line"))
        there = one_of(case, "host")
        copy = list(lines)
        new = self._reverse.rewrite(lines, range(len(lines)), True, there)
        if lines != copy or len(new) != len(lines):
            raise Wrong(f"rewritten: lines were touched: {lines} of {copy}")
        for before, after in zip(lines, new, strict=True):
            tally("rewritten" if before != after else "left as they are")
            if before.partition(b":")[:2] != after.partition(b":")[:2]:
                raise Wrong(f"rewritten: another name: {after!r} for {before!r}")
            if len(after) > len(before) + (len(there) + 10) * (before.count(b"<") + 3):
                raise Wrong(f"rewritten: too much: {after!r} for {before!r}")
            if set(after) - set(before) - set(b"https:/" + there):
                raise Wrong(f"rewritten: new bytes: {after!r} for {before!r}")


WORDS: Final = (*requests.WORDS, *answers.WORDS, *_CLAIMS, *_LOCATED)
"""All that is put into cases, for who chooses bytes otherwise."""
