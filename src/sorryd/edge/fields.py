"""The few fields of a head that a proxy must understand, taken out of its field lines.

Framing (RFC 9112 §6), persistence and hop-by-hop fields (RFC 9110 §7.6.1), Host, Expect, and a
stranger's claims of where a request came from. All other lines are passed on as they came.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

from sorryd.edge.connection_options import persistence, protocols, without
from sorryd.edge.framing import NO_CONTENT, check_coding, take_coding, take_length
from sorryd.edge.heads import BadMessage, RequestHead, ResponseHead
from sorryd.edge.known_fields import (
    BYPASS,
    CLAIM,
    CODING,
    CONNECTION,
    COOKIE,
    DOUBT,
    EXPECT,
    HOPS,
    HOST,
    LENGTH,
    LOCATED,
    REQUEST_FIELDS,
    RESPONSE_FIELDS,
    TE,
    UPGRADE,
)
from sorryd.edge.tokens import TOKENS, take_cookies, take_token
from sorryd.policy.reception import Bypass

# uri-host [ ":" port ] of RFC 9110 §7.2, or nothing at all; without the comma, userinfo and
# quotes that mislead readers. A port needs a host (§4.2.1).
is_host: Final = re.compile(
    rb"(?:(?:\[[0-9A-Fa-f:.]++\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]++|%[0-9A-Fa-f]{2})++)"
    rb"(?::[0-9]{0,5})?)?"
).fullmatch
_is_count: Final = re.compile(rb"[0-9]{1,9}").fullmatch
_COUNTED: Final = (b"TRACE", b"OPTIONS")


def take_request_fields(head: RequestHead, block: bytes) -> None:
    """Fill `head` from its field lines. Raises BadMessage 400, 417 or 501."""
    keep = head.lines.append
    kinds = REQUEST_FIELDS
    connection = coding = length = None
    upgrade: list[bytes] = []
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        kind = kinds.get(name.lower())
        if kind is None:
            keep(line)
        elif kind == HOST:
            _take_host(head, value.strip(b" \t"))
            keep(line)
        elif kind == COOKIE:
            if line.find(TOKENS) > 0:
                line = take_cookies(head, line)
            if line:
                keep(line)
        elif kind == CONNECTION:
            connection = value if connection is None else connection + b"," + value
        elif kind == LENGTH:
            length = take_length(line, value, length, keep, 400)
        elif kind == CODING:
            coding = take_coding(value, coding, 501, 400)
        elif kind == UPGRADE:
            upgrade.append(value)
        else:
            _take_rare(head, kind, line, value)
    if coding is not None:
        check_coding(head.minor, length, 400)
        head.chunked, head.length = True, None
    elif length:
        head.length = length
    elif upgrade:
        # With a body, its end would have to be found in what may be another protocol.
        head.upgrade = protocols(head.minor, connection, upgrade)
    if head.length != 0 and head.method in NO_CONTENT[head.minor]:
        raise BadMessage(400, "a body where none is expected")
    if connection is not None and (nominated := persistence(head, connection)):
        host = head.lines[head.host_at] if head.host_at >= 0 else None
        head.lines = without(head.lines, nominated)
        head.host_at = head.lines.index(host) if host is not None else -1


def take_response_fields(head: ResponseHead, block: bytes) -> None:
    """Fill `head` from its field lines. Raises BadMessage 502."""
    lines = head.lines
    keep = lines.append
    kinds = RESPONSE_FIELDS
    connection = coding = length = None
    located: list[int] | None = None
    upgrade: list[bytes] = []
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        kind = kinds.get(name.lower())
        if kind is None:
            keep(line)
        elif kind == CONNECTION:
            connection = value if connection is None else connection + b"," + value
        elif kind == LENGTH:
            length = take_length(line, value, length, keep, 502)
        elif kind == LOCATED:
            if located is None:
                head.located = located = []
            located.append(len(lines))
            keep(line)
        elif kind == CODING:
            coding = take_coding(value, coding, 502, 502)
        elif kind == UPGRADE:
            upgrade.append(value)
    if coding is not None:
        check_coding(head.minor, length, 502)
        head.chunked = True
    else:
        head.length = length
    if upgrade:
        head.upgrade = protocols(head.minor, connection, upgrade)
    if connection is not None and (nominated := persistence(head, connection)):
        drop(head, nominated)


def drop(head: ResponseHead, names: Set[bytes]) -> None:
    """Take the fields of these lower-case `names` out of an answer's head."""
    head.lines = without(head.lines, names)
    kinds = [RESPONSE_FIELDS.get(line.partition(b":")[0].lower()) for line in head.lines]
    head.located = [at for at, kind in enumerate(kinds) if kind == LOCATED] or None


def _take_rare(head: RequestHead, kind: int, line: bytes, value: bytes) -> None:
    """A field that few requests have."""
    if kind == CLAIM:
        if head.claims is None:
            head.claims = []
        head.claims.append(line)
    elif kind == TE:
        if head.minor == 1 and b"trailers" in map(_option, value.split(b",")):
            head.takes_trailers = True
    elif kind == EXPECT:
        if _take_expect(head, value):
            head.lines.append(line)
    elif kind == HOPS:
        head.lines.append(_one_hop_less(head, line, value))
    elif kind == BYPASS:
        take_token(head, Bypass.HEADER, value.strip(b" \t"))
    elif kind == DOUBT:
        raise BadMessage(400, "a framing field with underscores")


def take_authority(head: RequestHead, authority: bytes) -> None:
    """The host of an absolute-form target (RFC 9112 §3.2.2): Host must not say another.

    Raises BadMessage 400.
    """
    if head.host_at < 0:
        head.lines.insert(0, b"Host: " + authority)
        head.host, head.host_at = authority, 0
    elif authority.lower() != head.host.lower():
        raise BadMessage(400, "Host differs from the request target")


def _take_host(head: RequestHead, value: bytes) -> None:
    if head.host_at >= 0:
        raise BadMessage(400, "more than one Host")
    if is_host(value) is None:
        raise BadMessage(400, "invalid Host")
    head.host = value
    head.host_at = len(head.lines)


def _take_expect(head: RequestHead, value: bytes) -> bool:
    """RFC 9110 §10.1.1; an HTTP/1.0 expectation is ignored and not passed on."""
    if value.strip(b" \t").lower() != b"100-continue":
        raise BadMessage(417, "unknown expectation")
    head.expects_continue = head.minor == 1
    return head.expects_continue


def _option(word: bytes) -> bytes:
    return word.strip(b" \t").lower()


def _one_hop_less(head: RequestHead, line: bytes, value: bytes) -> bytes:
    """RFC 9110 §7.6.2: who gets the last of them must answer by himself; we have no answer."""
    if head.method not in _COUNTED:
        return line
    count = value.strip(b" \t")
    if _is_count(count) is None:
        raise BadMessage(400, "invalid Max-Forwards")
    if int(count) == 0:
        raise BadMessage(501, "Max-Forwards has come to its end here")
    return b"Max-Forwards: %d" % (int(count) - 1)
