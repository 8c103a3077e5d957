"""What other strict readers refuse and sorryd takes, each for a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Known = Callable[[bytes], object]

def _in_trailer(name: bytes) -> Known:
    return re.compile(rb"\r\n\r\n.*\r\n" + name, re.IGNORECASE | re.DOTALL).search


_bodiless: Final = re.compile(
    rb"HTTP/1\.. (?:1\d\d|204|304)[^\r]*\r\n(?:[^\r]+\r\n)*?transfer-encoding", re.IGNORECASE
).search


# What each reader says, the requests for which it may say so, and why that does no harm.
_KNOWN: Final[tuple[tuple[str, Known], ...]] = (
    # llhttp judges a trailer as a field of the head: no such trailer is passed on.
    ("Content-Length can't be present", _in_trailer(rb"content-length")),
    ("Transfer-Encoding can't be present", _in_trailer(rb"content-length")),
    ("Invalid `Transfer-Encoding` header value", _in_trailer(rb"transfer-encoding")),
    ("Only Transfer-Encoding: chunked is supported", _in_trailer(rb"transfer-encoding")),
    ("unknown 'Transfer-Encoding' value", _in_trailer(rb"transfer-encoding")),
    # 1xx and 204 have no body, whatever they say (RFC 9112 §6.3); none of it is passed on.
    ("Invalid character in chunk", _bodiless),
    # Extensions of chunks and the space around them: no such line is passed on.
    ("illegal chunk header", re.compile(rb"\r\n[0-9A-Fa-f]+[ \t]*;").search),
    ("Invalid character in chunk", re.compile(rb"\r\n[0-9A-Fa-f]+[ \t]*;").search),
)


def is_known(why: str, raw: bytes) -> bool:
    """Whether sorryd may take `raw`, though a reader refuses it with the words `why`."""
    return any(words in why and known(raw) for words, known in _KNOWN)
