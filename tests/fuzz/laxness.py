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
    # A trailer that is judged as if it were a field of the head: none such is passed on.
    ("Content-Length", _in_trailer(rb"content-length")),
    ("Transfer-Encoding", _in_trailer(rb"(?:content-length|transfer-encoding)")),
    # 1xx and 204 have no body, whatever they say (RFC 9112 §6.3); none of it is passed on.
    ("Invalid character in chunk", _bodiless),
    # Servers that pad sizes, as Apache and nginx take them; they leave anew.
    (
        "Invalid character in chunk",
        re.compile(rb"HTTP/1.*\r\n[0-9A-Fa-f]+[ \t]+\r\n", re.DOTALL).match,
    ),
    ("illegal chunk header", re.compile(rb"HTTP/1.*\r\n[0-9A-Fa-f]+[ \t]+\r\n", re.DOTALL).match),
    # Extensions of chunks and the space around them: no such line is passed on.
    ("illegal chunk header", re.compile(rb"\r\n[0-9A-Fa-f]+[ \t]*;").search),
    ("Invalid character in chunk", re.compile(rb"\r\n[0-9A-Fa-f]+[ \t]*;").search),
)


def is_known(why: str, raw: bytes) -> bool:
    """Whether sorryd may take `raw`, though a reader refuses it with the words `why`."""
    return any(words in why and known(raw) for words, known in _KNOWN)
