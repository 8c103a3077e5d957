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

from sorryd.edge.fields import is_host, take_request_fields, take_response_fields, without
from sorryd.edge.heads import TOKEN, BadMessage, RequestHead, ResponseHead

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
_authority: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*://([^/?#]*)").match


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
    nominated = take_request_fields(head, data[start : end - 4]) if end - 4 > start else None
    if nominated:
        head.lines, head.host_at = without(head.lines, nominated, head.host_at)
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
    nominated = take_response_fields(head, data[start : end - 4]) if end - 4 > start else None
    if nominated:
        head.lines, _ = without(head.lines, nominated, -1)
    code = head.status
    if bodiless or code < 200 or code == 204 or code == 304:
        head.length, head.chunked = 0, False
    return head


def field_block_end(data: bytes, start: int) -> int:
    """Where the field lines at `start` end, past their empty line; -1 where one is malformed."""
    block = _field_block(data, start)
    return block.end() if block is not None else -1


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
    if not absolute[1] or is_host(absolute[1]) is None:
        raise BadMessage(400, "malformed request target")
