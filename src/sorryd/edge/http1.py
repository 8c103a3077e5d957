"""HTTP/1 message heads and body framing, read as strictly as RFC 9112 is written.

The reader of heads is our own: two regular expressions judge a whole head, and a loop over
its lines takes out the few fields that a proxy must understand. All other lines are passed on
as they came. It knows nothing of connections: bytes in, values or `BadMessage` out.

Where RFC 9112 leaves a choice between mending and refusing, it refuses: a message that two
readers could frame differently is never passed on.
"""

from __future__ import annotations

import re
from typing import Final

TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VALUE: Final = rb"[\t\x20-\x7e\x80-\xff]*"

_request_line: Final = re.compile(
    rb"(" + TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n"
).match
_other_version: Final = re.compile(
    rb"(?:" + TOKEN + rb" [\x21-\x7e\x80-\xff]+ HTTP/[0-9]\.[0-9]|PRI \* HTTP/2\.0)\r\n"
).match
_status_line: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: (" + _VALUE + rb"))?\r\n"
).match
# Possessive, so that a head that fails costs no more than one that matches.
_field_block: Final = re.compile(rb"(?:" + TOKEN + rb"+:" + _VALUE + rb"+\r\n)*+\r\n").match
_bare_lf: Final = re.compile(rb"(?<!\r)\n").search
_could_begin: Final = re.compile(TOKEN + rb"(?: |\Z)").match
_is_digits: Final = re.compile(rb"[0-9]{1,18}").fullmatch
# uri-host [ ":" port ] of RFC 9110 §7.2, without the userinfo and quotes that mislead readers.
_is_host: Final = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+;=%]*)(?::[0-9]{0,5})?"
).fullmatch
_authority: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*://([^/?#]*)").match


class BadMessage(Exception):
    """A message that must not be passed on.

    `status` is what its sender is told (RFC 9110 §15.5, §15.6); `why` is for the log and for
    the short body of that answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


# The fields that a proxy must understand, by what is done with them. The words are small
# integers, not an enum: this is looked up for every field of every message.
_CONNECTION, _HOP, _LENGTH, _CODING, _HOST, _EXPECT, _FORWARDING, _UPGRADE = range(1, 9)

_HOP_BY_HOP: Final = (b"keep-alive", b"proxy-connection", b"te", b"trailer")
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


def _spellings(name: bytes) -> set[bytes]:
    first, second, third = name.split(b"-")
    return {first + a + second + b + third for a in (b"-", b"_") for b in (b"-", b"_")}


_RESPONSE_FIELDS: Final[dict[bytes, int]] = {
    **dict.fromkeys(_HOP_BY_HOP, _HOP),
    b"connection": _CONNECTION,
    b"content-length": _LENGTH,
    b"transfer-encoding": _CODING,
    b"upgrade": _UPGRADE,
}
_REQUEST_FIELDS: Final[dict[bytes, int]] = {
    **_RESPONSE_FIELDS,
    b"host": _HOST,
    b"expect": _EXPECT,
    b"forwarded": _FORWARDING,
    **{s: _FORWARDING for c in _CLAIMS for s in _spellings(b"x-forwarded-" + c)},
}
# Fields that carry the framing or the meaning of a message: naming them in Connection does not
# make them hop-by-hop (RFC 9110 §7.6.1 forbids the sender to).
_NEVER_DROPPED: Final = frozenset(
    {b"host", b"content-length", b"content-type", b"content-encoding", b"content-range"}
    | {b"authorization", b"cache-control", b"cookie", b"date", b"expect", b"location"}
    | {b"range", b"set-cookie", b"via"}
)


class RequestHead:
    """A request's head: what sorryd must know, and the lines that are passed on.

    `lines` are the end-to-end field lines in their order, without line ends. `host_at` is the
    index of Host among them, -1 where there is none. `length` is the body's length in bytes;
    None with `chunked`.
    """

    __slots__ = (
        "chunked", "expects_continue", "host", "host_at", "keep_alive", "length", "lines",
        "method", "minor", "target", "upgrade",
    )  # fmt: skip

    def __init__(self, method: bytes, target: bytes, minor: int) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.lines: list[bytes] = []
        self.host = b""
        self.host_at = -1
        self.length: int | None = 0
        self.chunked = False
        self.keep_alive = minor == 1
        self.expects_continue = False
        self.upgrade: bytes | None = None

    @property
    def has_body(self) -> bool:
        """Whether the framing announces a body (RFC 9112 §6.3)."""
        return self.length != 0


class ResponseHead:
    """A response's head. `length` None without `chunked`: the body ends with the connection."""

    __slots__ = ("chunked", "keep_alive", "length", "lines", "minor", "reason", "status", "upgrade")

    def __init__(self, minor: int, status: int, reason: bytes) -> None:
        self.minor = minor
        self.status = status
        self.reason = reason
        self.lines: list[bytes] = []
        self.length: int | None = None
        self.chunked = False
        self.keep_alive = minor == 1
        self.upgrade: bytes | None = None


# --- heads -----------------------------------------------------------------------------------


def head_end(data: bytes | bytearray, limit: int, searched: int = 0) -> int:
    """Where the head in `data` ends (past its empty line), or -1 while it is incomplete.

    `searched` bytes were looked at before. Raises BadMessage: 431 over `limit` bytes, 400 for
    what can never become a head (so that nobody waits for its end).
    """
    at = data.find(b"\r\n\r\n", max(0, searched - 3))
    if at < 0:
        if len(data) > limit:
            raise BadMessage(431, "the head is larger than the limit")
        if _bare_lf(data, max(0, searched - 1)):
            raise BadMessage(400, "a bare line feed in the head")
        return -1
    if at + 4 > limit:
        raise BadMessage(431, "the head is larger than the limit")
    return at + 4


def check_beginning(data: bytes | bytearray) -> None:
    """Raise BadMessage 400 at once for an incomplete head that no request begins with."""
    if not _could_begin(data):
        raise BadMessage(400, "not an HTTP request")


def read_request(data: bytes, end: int) -> RequestHead:
    """The request head in ``data[:end]``; raises BadMessage with 400, 405, 417, 501 or 505."""
    line = _request_line(data)
    if line is None:
        if _other_version(data):
            raise BadMessage(505, "only HTTP/1.1 and HTTP/1.0 are served")
        raise BadMessage(400, "malformed request line")
    method, target, minor = line.groups()
    head = RequestHead(method, target, 1 if minor == b"1" else 0)
    start = line.end()
    if field_block_end(data, start) != end:
        raise BadMessage(400, "malformed header field")
    nominated = _take_request_fields(head, data[start : end - 4]) if end - 4 > start else None
    if nominated:
        head.lines, head.host_at = _without(head.lines, nominated, head.host_at)
    _check_target(head)
    return head


def read_response(data: bytes, end: int, bodiless: bool) -> ResponseHead:
    """The response head in ``data[:end]``; `bodiless`: it answers HEAD (RFC 9112 §6.3).

    Raises BadMessage 502: the member's answer can't be trusted.
    """
    line = _status_line(data)
    if line is None:
        raise BadMessage(502, "malformed status line")
    minor, status, reason = line.groups()
    head = ResponseHead(1 if minor == b"1" else 0, int(status), reason or b"")
    start = line.end()
    if field_block_end(data, start) != end:
        raise BadMessage(502, "malformed header field in the answer")
    nominated = _take_response_fields(head, data[start : end - 4]) if end - 4 > start else None
    if nominated:
        head.lines, _ = _without(head.lines, nominated, -1)
    code = head.status
    if bodiless or code < 200 or code == 204 or code == 304:
        head.length, head.chunked = 0, False
    return head


def field_block_end(data: bytes, start: int) -> int:
    """Where the field lines at `start` end, past their empty line; -1 where one is malformed."""
    block = _field_block(data, start)
    return block.end() if block is not None else -1


def _take_request_fields(head: RequestHead, block: bytes) -> list[bytes] | None:
    keep = head.lines.append
    kinds = _REQUEST_FIELDS
    connection: list[bytes] | None = None
    coding = length = None
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        kind = kinds.get(name.lower())
        if kind is None:
            keep(line)
        elif kind == _HOST:
            _take_host(head, value.strip(b" \t"))
            keep(line)
        elif kind == _CONNECTION:
            connection = _tokens(value) if connection is None else connection + _tokens(value)
        elif kind == _LENGTH:
            length = _length(value, length, 400)
            keep(line)
        elif kind == _CODING:
            coding = _coding(value, coding, 501, 400)
        elif kind == _EXPECT:
            if _take_expect(head, value):
                keep(line)
        elif kind == _UPGRADE:
            head.upgrade = value.strip(b" \t")
    if coding is not None:
        _check_coding(head.minor, length, 400)
        head.chunked, head.length = True, None
    elif length is not None:
        head.length = length
    return _persistence(head, connection) if connection is not None else None


def _take_response_fields(head: ResponseHead, block: bytes) -> list[bytes] | None:
    keep = head.lines.append
    kinds = _RESPONSE_FIELDS
    connection: list[bytes] | None = None
    coding = length = None
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        kind = kinds.get(name.lower())
        if kind is None:
            keep(line)
        elif kind == _CONNECTION:
            connection = _tokens(value) if connection is None else connection + _tokens(value)
        elif kind == _LENGTH:
            length = _length(value, length, 502)
            keep(line)
        elif kind == _CODING:
            coding = _coding(value, coding, 502, 502)
        elif kind == _UPGRADE:
            head.upgrade = value.strip(b" \t")
    if coding is not None:
        _check_coding(head.minor, length, 502)
        head.chunked = True
    else:
        head.length = length
    return _persistence(head, connection) if connection is not None else None


def _take_host(head: RequestHead, value: bytes) -> None:
    if head.host_at >= 0:
        raise BadMessage(400, "more than one Host")
    if _is_host(value) is None:
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
    if _is_digits(digits) is None:
        raise BadMessage(status, "invalid Content-Length")
    return int(digits)


def _coding(value: bytes, before: bytes | None, unknown: int, malformed: int) -> bytes:
    coding = value.strip(b" \t").lower()
    if before is not None:
        raise BadMessage(malformed, "more than one Transfer-Encoding")
    if coding != b"chunked":
        raise BadMessage(
            unknown if re.fullmatch(TOKEN, coding) else malformed, "unsupported Transfer-Encoding"
        )
    return coding


def _check_coding(minor: int, length: int | None, status: int) -> None:
    if length is not None:
        raise BadMessage(status, "both Content-Length and Transfer-Encoding")
    if minor == 0:
        raise BadMessage(status, "Transfer-Encoding under HTTP/1.0")


def _tokens(value: bytes) -> list[bytes]:
    return [word.strip(b" \t") for word in value.lower().split(b",")]


def _persistence(head: RequestHead | ResponseHead, tokens: list[bytes]) -> list[bytes]:
    """Judge Connection (RFC 9112 §9.3); the field names that it makes hop-by-hop."""
    if b"close" in tokens:
        head.keep_alive = False
    elif head.minor == 0 and b"keep-alive" in tokens:
        head.keep_alive = True
    if head.upgrade is not None and b"upgrade" not in tokens:
        head.upgrade = None
    known = (b"close", b"keep-alive", b"upgrade", b"te", b"")
    return [t for t in tokens if t not in known and t not in _NEVER_DROPPED]


def _without(lines: list[bytes], nominated: list[bytes], host_at: int) -> tuple[list[bytes], int]:
    host = lines[host_at] if host_at >= 0 else None
    kept = [line for line in lines if line.partition(b":")[0].lower() not in nominated]
    return kept, kept.index(host) if host is not None else -1


def _check_target(head: RequestHead) -> None:
    """RFC 9112 §3.2: one Host in HTTP/1.1, and a target in one of the forms."""
    if head.minor == 1 and head.host_at < 0:
        raise BadMessage(400, "no Host")
    if head.method == b"CONNECT":
        raise BadMessage(405, "CONNECT is not served")
    target = head.target
    if target[0] == 0x2F or (target == b"*" and head.method == b"OPTIONS"):
        return
    absolute = _authority(target)
    if absolute is None:
        raise BadMessage(400, "malformed request target")
    if head.host_at >= 0 and absolute[1].lower() != head.host.lower():
        raise BadMessage(400, "Host differs from the request target")
    if not absolute[1] or _is_host(absolute[1]) is None:
        raise BadMessage(400, "malformed request target")
