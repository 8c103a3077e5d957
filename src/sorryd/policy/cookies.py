"""One cookie among those that a request brings (RFC 6265 §4.2), and the request without it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

FIELD: Final = b"cookie:"

Split = Callable[[bytes], list[bytes]]


def splitter(name: bytes) -> Split:
    """What takes the values of the cookie `name` out of the rest of a Cookie line."""
    # Possessive, and each match begins at a byte of its own: linear in what comes.
    return re.compile(rb";[ \t]*+%b[ \t]*+=([^;]*+)" % re.escape(name)).split


def without(line: bytes, split: Split, values: list[bytes]) -> bytes:
    """A Cookie line without the cookie, whose values are added to `values`.

    All other cookies stay as they are, byte for byte; b"" where there are none. `line` begins
    with the name of the field, in any case.
    """
    others, *ours = split(b";" + line[len(FIELD) :])
    if not ours:
        return line
    values += ours[::2]
    rest = b"".join((others, *ours[1::2])).lstrip(b"; \t")
    return line[: len(FIELD)] + b" " + rest if rest else b""


def value_of(written: bytes) -> bytes:
    """A cookie's value as it was set, without spaces and quotes around it (RFC 6265 §4.1.1)."""
    return written.strip(b' \t"')
