"""Which fields may stand behind a chunked body, and are passed on there (RFC 9110 §6.5).

They are never merged into a head. But there are members that do so by themselves, so nothing
may stand here that a head must not bring a member: what frames a message, says where it goes or
where it came from, and what sorryd itself judges or writes.
"""

from __future__ import annotations

import re
from typing import Final

from sorryd.edge.known_fields import REQUEST_FIELDS, RESPONSE_FIELDS

# RFC 9110 §6.5.1: framing, routing, authentication, request modifiers, response control, and
# what the content is. Content-Digest was made for this place (RFC 9530 §2), ETag may have it.
_EARLY: Final = frozenset(
    {b"age", b"allow", b"authorization", b"cache-control", b"cookie", b"date", b"expires"}
    | {b"from", b"last-modified", b"origin", b"pragma", b"range", b"referer", b"retry-after"}
    | {b"set-cookie2", b"status", b"strict-transport-security", b"trailer", b"user-agent"}
    | {b"vary", b"via", b"warning", b"www-authenticate"}
)
_is_early_family: Final = re.compile(
    rb"(?:accept|access-control|if|proxy|sec|sorry|x-forwarded|x-original|x-rewrite)(?:-|\Z)"
    rb"|content-(?!digest\Z)"
).match


def _hyphened(name: bytes) -> bytes:
    return name.lower().replace(b"_", b"-")


_TOO_LATE: Final = _EARLY | set(map(_hyphened, (*REQUEST_FIELDS, *RESPONSE_FIELDS)))


def passed_on(block: bytes) -> bytes:
    """Of whole field lines those that may be trailers, each with its CRLF.

    A name is judged as CGI-like readers see it, "_" being "-".
    """
    return b"".join(line for line in block.splitlines(keepends=True) if _may_trail(line))


def _may_trail(line: bytes) -> bool:
    name = _hyphened(line.partition(b":")[0])
    return name not in _TOO_LATE and _is_early_family(name) is None
