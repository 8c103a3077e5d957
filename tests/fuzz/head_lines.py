"""Lines of a request that policy reads: claims, cookies, and what the log shows of them."""

from __future__ import annotations

import json
from random import Random
from typing import Final

from tests.fuzz.case import Case, FaultFound, Line, Tally, all_of, one_of
from tests.fuzz.judging import is_combined
from tests.fuzz.mutations import mutated
from tests.fuzz.proxy_headers import is_address

from sorryd.edge.access import Access, End
from sorryd.model import LogFormat
from sorryd.policy.forwarding import Forwarding, Trusted
from sorryd.policy.heads import RequestHead
from sorryd.policy.sticky import Cookies

CLAIMS: Final = (
    b"X-Forwarded-For: 10.0.0.1, 203.0.113.9", b"X-Forwarded-For: [2001:db8::1]:80, unknown, _x:1",
    b"X-Forwarded-Proto: https, http", b"X-Forwarded-Host: a.example:8080", b"X-Forwarded-Port: 1",
    b'Forwarded: for="[2001:db8::1]:80";proto=https;host=a, for=10.0.0.1',
    b"Forwarded: for=_a;by=b", b"Forwarded: For=10.0.0.9;For=1.1.1.1", b"X-Real-IP: 1.2.3.4",
    b"Forwarded: proto=http", b"Cookie: SRV=abc; b=c", b"cookie:SRV=;SRV=x", b'Cookie: a="; SRV=1',
    b"Cookie:", b"Referer: \xff", b"User-Agent: \x80\"\\", b"X-Request-ID: a\x80",
    b"X_Request-ID: a", b"A:b",
)  # fmt: skip
_CLAIM_WORDS: Final = (
    b",", b";", b"=", b'"', b"for=", b"unknown", b"::ffff:1.2.3.4", b"_", b"%eth0", b":99999",
    b"10.0.0.1", b", , ,", b"\\", b"[", b"]", b"SRV=", b"SRV", b"proto=https", b"host=", b"host=a",
    b"1.2.3.04",
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
        self._logs = [Access(self._logged.append, form, "UTC", lambda: 1.0) for form in LogFormat]

    def make(self, random: Random) -> Case:
        """See case.Property."""
        lines = [_damaged(random, line) for line in random.choices(CLAIMS, k=random.randint(0, 5))]
        return (
            Line(
                "client",
                random.choice((b"10.0.0.1", b"192.0.2.1", b"", b"::1", b"::ffff:10.0.0.2")),
            ),
            Line("host", random.choice((b"", b"a", b"a.example:80", b"[::1]"))),
            Line("target", b"/" + random.randbytes(random.randint(0, 4))),
            *(Line("line", line) for line in lines),
        )

    def check(self, case: Case, tally: Tally) -> None:
        """What a member is told is whole lines, and the log has one line for a request."""
        head = _head(case)
        client = one_of(case, "client").decode("ascii", "ignore")
        if client and not all(c in "0123456789abcdef.:" for c in client):
            return
        forwarding = Forwarding(client, False, self._trusted)
        told = forwarding.lines(head)
        if told and not told.endswith(b"\r\n"):
            raise FaultFound(f"told: no whole lines: {told!r}")
        if (len(told.split(b"\r\n")) - 1, told.count(b"\n")) != (told.count(b"\r"),) * 2:
            raise FaultFound(f"told: broken lines: {told!r}")
        believed = forwarding.client(head)
        if believed not in ("", client) and not is_address(believed):
            raise FaultFound(f"believed: no address: {believed!r}")
        forwarding.is_secure(head)
        tally("believed" if believed != client else "not believed")
        self._check_cookies(head)
        self._check_log(head, believed, tally)

    def _check_cookies(self, head: RequestHead) -> None:
        before = list(head.lines)
        self._cookies.member(head)
        if any(not line for line in head.lines):
            raise FaultFound(f"cookies: an empty line: {head.lines}")
        if head.host_at >= 0 and not head.lines[head.host_at].lower().startswith(b"host:"):
            raise FaultFound(f"cookies: another line is Host now: {head.lines} of {before}")
        others = [line for line in before if line[:7].lower() != b"cookie:"]
        if [line for line in head.lines if line[:7].lower() != b"cookie:"] != others:
            raise FaultFound(f"cookies: other lines were touched: {head.lines} of {before}")

    def _check_log(self, head: RequestHead, client: str, tally: Tally) -> None:
        for log in self._logs:
            self._logged.clear()
            for known in (head, None):
                record = log.begin(known, log.caller(None, client, False), True, 1e9)
                record.received = head.target
                record.finish(End.DONE)
            for line in self._logged:
                _check_line(line)
                tally("log lines")


def _check_line(line: bytes) -> None:
    if line.count(b"\n") != 1 or not line.endswith(b"\n") or not line.isascii():
        raise FaultFound(f"log: not one line: {line!r}")
    if not line[:-1].decode("ascii").isprintable():
        raise FaultFound(f"log: not printable: {line!r}")
    if line.startswith(b"{"):
        json.loads(line)
    elif is_combined(line) is None:
        raise FaultFound(f"log: a malformed line: {line!r}")


def _damaged(random: Random, line: bytes) -> bytes:
    """A line, damaged as far as it could still come: not its name, and with no line ends."""
    name, colon, value = line.partition(b":")
    if random.random() < 0.7:
        value = mutated(random, value, _CLAIM_WORDS)
    return name + colon + value


def _head(case: Case) -> RequestHead:
    """A head with these lines, as the reader of heads could have made it."""
    head = RequestHead(b"GET", _visible(one_of(case, "target")) or b"/", 1)
    head.host = one_of(case, "host")
    head.lines, head.host_at = [b"Host: " + head.host], 0
    for line in all_of(case, "line"):
        name, colon, value = line.partition(b":")
        if not (colon and name.replace(b"-", b"").replace(b"_", b"").isalnum()):
            continue
        line = name + b":" + _visible(value, b" \t")
        if name.lower().startswith((b"x-f", b"forwarded", b"x-real")):
            head.claims = [*(head.claims or ()), line]
        else:
            head.lines.insert(0 if len(line) % 2 else len(head.lines), line)
            head.host_at += len(line) % 2
    return head


def _visible(data: bytes, others: bytes = b"") -> bytes:
    """What the reader of heads lets through of it."""
    return bytes(b for b in data if 0x21 <= b <= 0x7E or b >= 0x80 or b in others)
