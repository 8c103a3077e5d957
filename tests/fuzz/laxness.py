"""What other strict readers refuse and sorryd takes, each for a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Known = Callable[[bytes], object]


def _in_trailer(name: bytes) -> Known:
    return re.compile(rb"\r\n\r\n.*\r\n" + name, re.IGNORECASE | re.DOTALL).search


# 1xx, 204 and 304 have no body whatever they say (RFC 9112 §6.3), and nothing of what they say
# of one is passed on; llhttp reads one.
_BODILESS: Final = rb"HTTP/1\.. (?:1\d\d|204|304)[^\r]*\r\n(?:[^\r]+\r\n)*?"
misleads_llhttp: Final = re.compile(
    _BODILESS + rb"(?:content-length|transfer-encoding)", re.IGNORECASE
).search
_extended: Final = re.compile(rb"\r\n[0-9A-Fa-f]+[ \t]*;").search
_padded: Final = re.compile(rb"HTTP/1.*\r\n[0-9A-Fa-f]+[ \t]+\r\n", re.DOTALL).match

# What a reader says, the messages for which it may say so, and why that does no harm.
_KNOWN: Final[tuple[tuple[str, Known], ...]] = (
    # A trailer that is judged as if it were a field of the head: none such is passed on.
    ("Content-Length", _in_trailer(rb"content-length")),
    ("Transfer-Encoding", _in_trailer(rb"(?:content-length|transfer-encoding)")),
    # Extensions of chunks and the space around them, and the spaces that servers pad sizes with,
    # as Apache and nginx take them: chunks are coded anew.
    ("illegal chunk header", _extended),
    ("illegal chunk header", _padded),
    ("Invalid character in chunk", _extended),
    ("Invalid character in chunk", _padded),
)


def is_known(why: str, raw: bytes) -> bool:
    """Whether sorryd may take `raw`, though a reader refuses it with the words `why`."""
    return any(words in why and known(raw) for words, known in _KNOWN)
