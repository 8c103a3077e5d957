"""HTTP/1 message heads, read as strictly as RFC 9112 is written.

The reader of heads is our own: two regular expressions judge a whole head, and a loop over
its lines takes out the few fields that a proxy must understand. All other lines are passed on
as they came. It knows nothing of connections: bytes in, values or `BadMessage` out.

Where RFC 9112 leaves a choice between mending and refusing, it refuses: a message that two
readers could frame differently is never passed on.
"""

from __future__ import annotations

import re
from typing import Final

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.field_lines import FieldLine, FieldLines, is_host
from sorryd.edge.fields import drop, take_authority, take_request_fields, take_response_fields
from sorryd.edge.known_fields import REQUEST_FIELDS, RESPONSE_FIELDS
from sorryd.edge.repeated import Repeated
from sorryd.policy.fields import TOKEN
from sorryd.policy.heads import RequestHead, ResponseHead

_VALUE: Final = rb"[\t\x20-\x7e\x80-\xff]*+"

# All are possessive, so that a head that fails costs no more than one that matches.
# A target has no fragment (RFC 9112 §3.2): there are readers who end it there.
_TARGET: Final = rb"[!\"$-~\x80-\xff]++"
_BEGINNING: Final = rb"(" + TOKEN + rb") (" + _TARGET + rb") HTTP/"
_request_line: Final = re.compile(_BEGINNING + rb"1\.([01])\r\n").match
_other_version: Final = re.compile(_BEGINNING + rb"[0-9]\.[0-9]\r\n").match
_status_line: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: (" + _VALUE + rb"))?\r\n"
).match
_field_block: Final = re.compile(rb"(?:" + TOKEN + rb":" + _VALUE + rb"\r\n)*+\r\n").match
_bare_lf: Final = re.compile(rb"(?<!\r)\n").search
_could_begin: Final = re.compile(TOKEN + rb"(?: |\Z)|\r\Z").match
_absolute: Final = re.compile(rb"(?i:https?)://([^/?#]++)(.*+)").fullmatch

MOST_FIELDS: Final = 256
"""Field lines of a head. Each costs work, however short it is: others stop near 100."""

_FEW: Final = 4 * MOST_FIELDS  # bytes that can't hold more
_ANSWER: Final = b"HTTP/1."
_SLASH: Final = 0x2F
_BEHIND: Final = len(b" HTTP/1.1\r\n")  # a target

_request_lines: Final = FieldLines(REQUEST_FIELDS)
_response_lines: Final = FieldLines(RESPONSE_FIELDS)


def head_end(data: bytes | bytearray, limit: int, searched: int = 0) -> int:
    """Where the head in `data` ends (past its empty line), or -1 while it is incomplete.

    `searched` bytes were looked at before. Raises BadMessage: over `limit` bytes 414 for the
    first line and 431 for all, 431 for more than `MOST_FIELDS` lines, 400 for what can never
    become a head (so that nobody waits for its end).
    """
    at = data.find(b"\r\n\r\n", searched - 3 if searched > 3 else 0)
    if 0 <= at <= limit - 4:
        if at > _FEW and data.count(b"\r\n", 0, at) > MOST_FIELDS:
            raise BadMessage(431, "too many header fields")
        return at + 4
    if _bare_lf(data, searched, limit):
        raise BadMessage(400, "a bare line feed in the head")
    if at < 0 and len(data) <= limit:
        return -1
    if data.find(b"\r\n", 0, limit) < 0:
        raise BadMessage(414, "the first line is larger than the limit")
    raise BadMessage(431, "the head is larger than the limit")


def check_beginning(data: bytes | bytearray) -> None:
    """Raise BadMessage 400 at once for an incomplete head that no request begins with."""
    if _could_begin(data) is None:
        raise BadMessage(400, "not an HTTP request")


def check_answer_beginning(data: bytes) -> None:
    """Raise BadMessage 502 at once for an incomplete head that no answer begins with."""
    if data[: len(_ANSWER)] != _ANSWER[: len(data)]:
        raise BadMessage(502, "malformed status line")


def read_request(data: bytes, end: int, repeated: Repeated) -> RequestHead:
    """The request head in ``data[:end]``; raises BadMessage with 400, 405, 417, 501 or 505.

    `repeated` is what its visitor sent before. Field lines that are byte for byte the same need
    not be judged again: what is made of them depends on the method and the version alone.
    """
    line = _request_line(data)
    if line is None:
        other = _other_version(data)
        if other is not None and field_block_end(data, other.end()) == end:
            raise BadMessage(505, "only HTTP/1.1 and HTTP/1.0 are served")
        raise BadMessage(400, "malformed request line")
    method, target, minor = line.groups()
    start = line.end()
    behind = data[start - _BEHIND : end]
    known = repeated.known(method, target, behind)
    if known is not None:
        return known
    head = RequestHead(method, target, 1 if minor == b"1" else 0)
    fields = _read_lines(_request_lines, data, start, end)
    if fields is None:
        raise BadMessage(400, "malformed header field")
    take_request_fields(head, fields)
    _check_target(head)
    # Of another form, a host may have come with the target.
    return repeated.learn(head, behind) if target[0] == _SLASH else head


def read_response(data: bytes, end: int, bodiless: bool) -> ResponseHead:
    """The response head in ``data[:end]``; `bodiless`: it answers HEAD (RFC 9112 §6.3).

    Raises BadMessage 502: the member's answer can't be trusted.
    """
    line = _status_line(data)
    if line is None:
        raise BadMessage(502, "malformed status line")
    minor, status, reason = line.groups()
    head = ResponseHead(1 if minor == b"1" else 0, int(status), reason or b"")
    head.size = end
    fields = _read_lines(_response_lines, data, line.end(), end)
    if fields is None:
        raise BadMessage(502, "malformed header field in the answer")
    take_response_fields(head, fields)
    code = head.status
    if bodiless or code < 200 or code == 204 or code == 304:
        if head.length is not None and (code < 200 or code == 204):
            # RFC 9110 §8.6 forbids it there; a visitor could wait for that many bytes.
            drop(head, {b"content-length"})
        head.length, head.chunked = 0, False
    return head


def _read_lines(known: FieldLines, data: bytes, start: int, end: int) -> list[FieldLine] | None:
    """The field lines of a head that begin at `start`; None where one is malformed."""
    return known.read(data[start : end - 4]) if end - 4 > start else []


def field_block_end(data: bytes, start: int) -> int:
    """Where the field lines at `start` end, past their empty line; -1 where one is malformed."""
    block = _field_block(data, start)
    return block.end() if block is not None else -1


def _check_target(head: RequestHead) -> None:
    """RFC 9112 §3.2: one Host in HTTP/1.1, and a target in one of the forms.

    The absolute form is for proxies: a member gets the origin form of it (§3.2.1).
    """
    if head.minor == 1 and head.host_at < 0:
        raise BadMessage(400, "no Host")
    if head.method == b"CONNECT":
        raise BadMessage(405, "CONNECT is not served")
    target = head.target
    if target[0] == _SLASH or (target == b"*" and head.method == b"OPTIONS"):
        return
    absolute = _absolute(target)
    if absolute is None or is_host(absolute[1]) is None:
        raise BadMessage(400, "malformed request target")
    take_authority(head, absolute[1])
    path = absolute[2]
    if path[:1] == b"/":
        head.target = path
    else:
        head.target = b"/" + path if path or head.method != b"OPTIONS" else b"*"
