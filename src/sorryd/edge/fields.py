"""The few fields of a head that a proxy must understand, taken out of its field lines.

Framing (RFC 9112 §6), persistence and hop-by-hop fields (RFC 9110 §7.6.1), Host, Expect, and a
stranger's claims of where a request came from. All other lines are passed on as they came.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Set
from typing import Final, NamedTuple

from sorryd.edge.heads import TOKEN, BadMessage, RequestHead, ResponseHead

_MOST_DIGITS: Final = 18  # of a length, below 2 ** 63
_is_token: Final = re.compile(TOKEN).fullmatch
# uri-host [ ":" port ] of RFC 9110 §7.2, or nothing at all; without the comma, userinfo and
# quotes that mislead readers. A port needs a host (§4.2.1).
is_host: Final = re.compile(
    rb"(?:(?:\[[0-9A-Fa-f:.]++\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]++|%[0-9A-Fa-f]{2})++)"
    rb"(?::[0-9]{0,5})?)?"
).fullmatch
_is_protocol: Final = re.compile(TOKEN + rb"(?:/" + TOKEN + rb")?").fullmatch

# The fields that a proxy must understand, by what is done with them. The words are small
# integers, not an enum: this is looked up for every field of every message.
_CONNECTION, _DROP, _LENGTH, _CODING, _HOST, _EXPECT, _UPGRADE, _DOUBT = range(1, 9)

_HOP_BY_HOP: Final = (b"keep-alive", b"proxy-connection", b"te", b"trailer")
# Belongs to an upgrade that is never passed on; and what CGI programs take for the setting of
# a proxy (HTTP_PROXY), which no client has a reason to send.
_NOT_PASSED: Final = (b"http2-settings", b"proxy")
# A stranger's claims about where a request came from; ours replace them. Applications behind
# CGI-like interfaces read "_" as "-", so both spellings go.
_CLAIMS: Final = (
    b"for",
    b"host",
    b"proto",
    b"port",
    b"server",
    b"ssl",
    b"scheme",
    b"by",
    b"prefix",
)


def _spellings(name: bytes) -> Set[bytes]:
    first, second, third = name.split(b"-")
    return {first + a + second + b + third for a in (b"-", b"_") for b in (b"-", b"_")}


_RESPONSE_FIELDS: Final[dict[bytes, int]] = {
    **dict.fromkeys(_HOP_BY_HOP, _DROP),
    b"connection": _CONNECTION,
    b"content-length": _LENGTH,
    b"transfer-encoding": _CODING,
    b"upgrade": _UPGRADE,
}
_REQUEST_FIELDS: Final[dict[bytes, int]] = {
    **_RESPONSE_FIELDS,
    b"host": _HOST,
    b"expect": _EXPECT,
    b"forwarded": _DROP,
    **dict.fromkeys(_NOT_PASSED, _DROP),
    **{s: _DROP for c in _CLAIMS for s in _spellings(b"x-forwarded-" + c)},
    # Read by CGI-like interfaces as the framing that we did not see.
    b"content_length": _DOUBT,
    b"transfer_encoding": _DOUBT,
}
# Would be HTTP again, inside a tunnel where nobody judges it; RFC 9113 has no h2c any more.
_NO_TUNNEL: Final = frozenset((b"h2c", b"h2", b"http", b"tls"))
# Fields that carry the framing or the meaning of a message: naming them in Connection does not
# make them hop-by-hop (RFC 9110 §7.6.1 forbids the sender to). The rest are options, not names.
_NOT_NOMINATED: Final = frozenset(
    {b"host", b"content-length", b"content-type", b"content-encoding", b"content-range"}
    | {b"authorization", b"cache-control", b"cookie", b"date", b"expect", b"location"}
    | {b"range", b"set-cookie", b"via"}
    | {b"close", b"keep-alive", b"upgrade", b"te", b""}
)
_NONE: Final[Set[bytes]] = frozenset()


def take_request_fields(head: RequestHead, block: bytes) -> Set[bytes]:
    """Fill `head` from its field lines; the names that Connection nominates.

    Raises BadMessage 400, 417 or 501.
    """
    keep = head.lines.append
    kinds = _REQUEST_FIELDS
    connection = coding = length = None
    upgrade: list[bytes] = []
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        kind = kinds.get(name.lower())
        if kind is None:
            keep(line)
        elif kind == _HOST:
            _take_host(head, value.strip(b" \t"))
            keep(line)
        elif kind == _CONNECTION:
            connection = value if connection is None else connection + b"," + value
        elif kind == _LENGTH:
            length = _length(value, length, 400)
            keep(line)
        elif kind == _CODING:
            coding = _coding(value, coding, 501, 400)
        elif kind == _EXPECT:
            if _take_expect(head, value):
                keep(line)
        elif kind == _UPGRADE:
            upgrade.append(value)
        elif kind == _DOUBT:
            raise BadMessage(400, "a framing field with underscores")
    if coding is not None:
        _check_coding(head.minor, length, 400)
        head.chunked, head.length = True, None
    elif length is not None:
        head.length = length
    if upgrade and head.length == 0:
        # With a body, its end would have to be found in what may be another protocol.
        head.upgrade = _protocols(head.minor, connection, upgrade)
    return _NONE if connection is None else _persistence(head, connection)


def take_response_fields(head: ResponseHead, block: bytes) -> Set[bytes]:
    """Fill `head` from its field lines; the names that Connection nominates.

    Raises BadMessage 502.
    """
    keep = head.lines.append
    kinds = _RESPONSE_FIELDS
    connection = coding = length = None
    upgrade: list[bytes] = []
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        kind = kinds.get(name.lower())
        if kind is None:
            keep(line)
        elif kind == _CONNECTION:
            connection = value if connection is None else connection + b"," + value
        elif kind == _LENGTH:
            length = _length(value, length, 502)
            keep(line)
        elif kind == _CODING:
            coding = _coding(value, coding, 502, 502)
        elif kind == _UPGRADE:
            upgrade.append(value)
    if coding is not None:
        _check_coding(head.minor, length, 502)
        head.chunked = True
    else:
        head.length = length
    if upgrade:
        head.upgrade = _protocols(head.minor, connection, upgrade)
    return _NONE if connection is None else _persistence(head, connection)


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


def _length(value: bytes, before: int | None, status: int) -> int:
    """RFC 9112 §6.3: repeated or listed lengths may be mended; we refuse them."""
    if before is not None:
        raise BadMessage(status, "more than one Content-Length")
    digits = value.strip(b" \t")
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:  # bytes: ASCII digits only
        raise BadMessage(status, "invalid Content-Length")
    return int(digits)


def _coding(value: bytes, before: bytes | None, unknown: int, malformed: int) -> bytes:
    """RFC 9112 §6.1, §6.3: only `chunked`; `unknown` where it is at least the last of others."""
    coding = value.strip(b" \t").lower()
    if before is not None:
        raise BadMessage(malformed, "more than one Transfer-Encoding")
    if coding != b"chunked":
        *others, last = (word.strip(b" \t") for word in coding.split(b","))
        framed = last == b"chunked" and last not in others and all(map(_is_token, others))
        raise BadMessage(unknown if framed else malformed, "unsupported Transfer-Encoding")
    return coding


def _check_coding(minor: int, length: int | None, status: int) -> None:
    if length is not None:
        raise BadMessage(status, "both Content-Length and Transfer-Encoding")
    if minor == 0:
        raise BadMessage(status, "Transfer-Encoding under HTTP/1.0")


class _Connection(NamedTuple):
    """What Connection asks for (RFC 9110 §7.6.1)."""

    close: bool
    keep_alive: bool
    upgrade: bool
    nominated: Set[bytes]


def _connection(value: bytes) -> _Connection:
    tokens = {word.strip(b" \t") for word in value.lower().split(b",")}
    return _Connection(
        b"close" in tokens,
        b"keep-alive" in tokens,
        b"upgrade" in tokens,
        tokens - _NOT_NOMINATED,
    )


# There are a few that all the world sends. Long ones are worked out, so that nobody can make
# this hold much.
_connection_remembered: Final = functools.lru_cache(maxsize=256)(_connection)
_REMEMBERED: Final = 64  # bytes


def _asked(value: bytes) -> _Connection:
    return _connection_remembered(value) if len(value) <= _REMEMBERED else _connection(value)


def _protocols(minor: int, connection: bytes | None, values: list[bytes]) -> bytes | None:
    """The protocols to upgrade to (RFC 9110 §7.8) that may be passed on, as one list.

    None where Upgrade is to be ignored: under HTTP/1.0, or not named in Connection.
    """
    if minor == 0 or connection is None or not _asked(connection).upgrade:
        return None
    asked = (word.strip(b" \t") for word in b",".join(values).split(b","))
    names = ((word, word.partition(b"/")[0].lower()) for word in asked if _is_protocol(word))
    return b", ".join(word for word, name in names if name not in _NO_TUNNEL) or None


def _persistence(head: RequestHead | ResponseHead, connection: bytes) -> Set[bytes]:
    """Judge Connection (RFC 9112 §9.3); the field names that it makes hop-by-hop."""
    asked = _asked(connection)
    if asked.close:
        head.keep_alive = False
    elif head.minor == 0 and asked.keep_alive:
        head.keep_alive = True
    return asked.nominated


def without(lines: list[bytes], nominated: Set[bytes], host_at: int) -> tuple[list[bytes], int]:
    """`lines` without the `nominated` fields, and where Host is then."""
    host = lines[host_at] if host_at >= 0 else None
    kept = [line for line in lines if line.partition(b":")[0].lower() not in nominated]
    return kept, kept.index(host) if host is not None else -1
