"""How long a message's body is, by what its head says (RFC 9112 §6).

Where RFC 9112 lets a reader mend what is said, we refuse: the next reader could mend it
otherwise.
"""

from __future__ import annotations

import re
from typing import Final

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.field_lines import FieldLine
from sorryd.policy.fields import TOKEN

_is_token: Final = re.compile(TOKEN).fullmatch

NO_CONTENT: Final = (
    frozenset({b"GET", b"HEAD", b"DELETE", b"TRACE"}),
    frozenset({b"TRACE"}),
)
"""Methods, by the minor version, whose body a member may not look for.

RFC 9110 §9.3.8 forbids it to TRACE. Before HTTP/1.1 nothing says that GET, HEAD or DELETE may
have any, and HAProxy refuses it there, too.
"""


def take_length(field: FieldLine, before: int, status: int) -> int:
    """The length of a Content-Length, where `before` is that of another one; -1: there is none.

    Raises BadMessage with `status` for what is no length (RFC 9110 §8.6), and for a second one.
    """
    if before >= 0:
        raise BadMessage(status, "more than one Content-Length")
    if field.number < 0:
        raise BadMessage(status, "invalid Content-Length")
    return field.number


def take_coding(value: bytes, before: bytes | None, unknown: int, malformed: int) -> bytes:
    """RFC 9112 §6.1, §6.3: only `chunked`; `unknown` where it is at least the last of others."""
    coding = value.lower()
    if before is not None:
        raise BadMessage(malformed, "more than one Transfer-Encoding")
    if coding != b"chunked":
        *others, last = (word.strip(b" \t") for word in coding.split(b","))
        framed = last == b"chunked" and last not in others and all(map(_is_token, others))
        raise BadMessage(unknown if framed else malformed, "unsupported Transfer-Encoding")
    return coding


def check_coding(minor: int, length: int, status: int) -> None:
    """Chunks have no length, and HTTP/1.0 has no chunks (RFC 9112 §6.1)."""
    if length >= 0:
        raise BadMessage(status, "both Content-Length and Transfer-Encoding")
    if minor == 0:
        raise BadMessage(status, "Transfer-Encoding under HTTP/1.0")
