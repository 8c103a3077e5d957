"""The few fields of a head that a proxy must understand, taken out of its field lines.

Framing (RFC 9112 §6), persistence and hop-by-hop fields (RFC 9110 §7.6.1), Host, Expect, and a
stranger's claims of where a request came from. All other lines are passed on as they came.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.connection_options import persistence, protocols, without
from sorryd.edge.field_lines import FieldLine
from sorryd.edge.framing import NO_CONTENT, check_coding, take_coding, take_length
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
    PASSED,
    RESPONSE_FIELDS,
    TE,
    UPGRADE,
)
from sorryd.edge.tokens import TOKENS, take_cookies, take_token
from sorryd.policy.heads import RequestHead, ResponseHead
from sorryd.policy.reception import Bypass

_is_count: Final = re.compile(rb"[0-9]{1,9}").fullmatch
_COUNTED: Final = (b"TRACE", b"OPTIONS")


def take_request_fields(head: RequestHead, fields: list[FieldLine]) -> None:
    """Fill `head` from its field lines. Raises BadMessage 400, 417 or 501."""
    lines: list[bytes] = []
    head.lines = lines
    connection: bytes | None = None
    coding: bytes | None = None
    length = -1
    upgrade: list[bytes] | None = None
    for field in fields:
        kind = field.kind
        if kind == PASSED:
            lines.append(field.line)
        elif kind == HOST:
            _take_host(head, field, len(lines))
            lines.append(field.line)
        elif kind == COOKIE:
            line = field.line
            if line.find(TOKENS) > 0:
                line = take_cookies(head, line)
            if line:
                lines.append(line)
        elif kind == CONNECTION:
            value = field.value
            connection = value if connection is None else connection + b"," + value
        elif kind == LENGTH:
            length = take_length(field, length, 400)
            lines.append(field.line)
        elif kind == CODING:
            coding = take_coding(field.value, coding, 501, 400)
        elif kind == UPGRADE:
            upgrade = [field.value] if upgrade is None else [*upgrade, field.value]
        else:
            _take_rare(head, field, lines)
    if coding is not None:
        check_coding(head.minor, length, 400)
        head.chunked, head.length = True, None
    elif length > 0:
        head.length = length
    elif upgrade is not None:
        # With a body, its end would have to be found in what may be another protocol.
        head.upgrade = protocols(head.minor, connection, upgrade)
    if head.length != 0 and head.method in NO_CONTENT[head.minor]:
        raise BadMessage(400, "a body where none is expected")
    if connection is not None and (nominated := persistence(head, connection)):
        host = lines[head.host_at] if head.host_at >= 0 else None
        lines = without(lines, nominated)
        head.lines = lines
        head.host_at = lines.index(host) if host is not None else -1


def take_response_fields(head: ResponseHead, fields: list[FieldLine]) -> None:
    """Fill `head` from its field lines. Raises BadMessage 502."""
    lines = head.lines
    connection: bytes | None = None
    coding: bytes | None = None
    length = -1
    located: list[int] | None = None
    upgrade: list[bytes] | None = None
    for field in fields:
        kind = field.kind
        if kind == PASSED:
            lines.append(field.line)
        elif kind == CONNECTION:
            value = field.value
            connection = value if connection is None else connection + b"," + value
        elif kind == LENGTH:
            length = take_length(field, length, 502)
            lines.append(field.line)
        elif kind == LOCATED:
            if located is None:
                head.located = located = []
            located.append(len(lines))
            lines.append(field.line)
        elif kind == CODING:
            coding = take_coding(field.value, coding, 502, 502)
        elif kind == UPGRADE:
            upgrade = [field.value] if upgrade is None else [*upgrade, field.value]
    if coding is not None:
        check_coding(head.minor, length, 502)
        head.chunked = True
    elif length >= 0:
        head.length = length
    if upgrade is not None:
        head.upgrade = protocols(head.minor, connection, upgrade)
    if connection is not None and (nominated := persistence(head, connection)):
        drop(head, nominated)


def drop(head: ResponseHead, names: Set[bytes]) -> None:
    """Take the fields of these lower-case `names` out of an answer's head."""
    head.lines = without(head.lines, names)
    kinds = [RESPONSE_FIELDS.get(line.partition(b":")[0].lower()) for line in head.lines]
    head.located = [at for at, kind in enumerate(kinds) if kind == LOCATED] or None


def _take_rare(head: RequestHead, field: FieldLine, lines: list[bytes]) -> None:
    """A field that few requests have; what is passed on of it is put behind `lines`."""
    kind = field.kind
    if kind == CLAIM:
        if head.claims is None:
            head.claims = []
        head.claims.append(field.line)
    elif kind == TE:
        if head.minor == 1 and b"trailers" in map(_option, field.value.split(b",")):
            head.takes_trailers = True
    elif kind == EXPECT:
        if _take_expect(head, field.value):
            lines.append(field.line)
    elif kind == HOPS:
        lines.append(_one_hop_less(head, field))
    elif kind == BYPASS:
        take_token(head, Bypass.HEADER, field.value)
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


def _take_host(head: RequestHead, field: FieldLine, at: int) -> None:
    if head.host_at >= 0:
        raise BadMessage(400, "more than one Host")
    if field.number < 0:
        raise BadMessage(400, "invalid Host")
    head.host = field.value
    head.host_at = at


def _take_expect(head: RequestHead, value: bytes) -> bool:
    """RFC 9110 §10.1.1; an HTTP/1.0 expectation is ignored and not passed on."""
    if value.lower() != b"100-continue":
        raise BadMessage(417, "unknown expectation")
    head.expects_continue = head.minor == 1
    return head.expects_continue


def _option(word: bytes) -> bytes:
    return word.strip(b" \t").lower()


def _one_hop_less(head: RequestHead, field: FieldLine) -> bytes:
    """RFC 9110 §7.6.2: who gets the last of them must answer by himself; we have no answer."""
    if head.method not in _COUNTED:
        return field.line
    count = field.value
    if _is_count(count) is None:
        raise BadMessage(400, "invalid Max-Forwards")
    if int(count) == 0:
        raise BadMessage(501, "Max-Forwards has come to its end here")
    return b"Max-Forwards: %d" % (int(count) - 1)
