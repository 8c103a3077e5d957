"""Field lines one by one: whether they are well-formed, and which field each is.

Most lines that a visitor or a member sends were sent before, by the same one or by others:
``Accept-Encoding: gzip``, ``Server: nginx``, the Date of this second. To find one among those
that were judged costs a fifth of judging it. What is kept depends on the bytes of the line alone.
"""

from __future__ import annotations

import re
from typing import Final

from sorryd.edge.known_fields import BYPASS, CLAIM, COOKIE, HOST, LENGTH, LOCATED, PASSED
from sorryd.policy.fields import TOKEN
from sorryd.policy.keeping import keep

MOST_LINES: Final = 1024
"""Lines that are kept, for requests and for answers each ..."""

LONGEST_LINE: Final = 192
"""... of no more bytes than this."""

MOST_NAMES: Final = 512
"""Names of fields that are kept, as they are spelled ..."""

LONGEST_NAME: Final = 40
"""... of no more bytes than this."""

_MOST_DIGITS: Final = 18  # of a length, below 2 ** 63
_ZERO: Final = 0x30
_is_token: Final = re.compile(TOKEN).fullmatch
# What a value may be made of, and so a whole line, since a token and a colon are that, too.
_is_visible: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*+").fullmatch
# uri-host [ ":" port ] of RFC 9110 §7.2, or nothing at all; without the comma, userinfo and
# quotes that mislead readers. A port needs a host (§4.2.1).
is_host: Final = re.compile(
    rb"(?:(?:\[[0-9A-Fa-f:.]++\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]++|%[0-9A-Fa-f]{2})++)"
    rb"(?::[0-9]{0,5})?)?"
).fullmatch
# Whoever says these says who he is, and nobody else says the same: they are not kept.
_OWN: Final = frozenset((COOKIE, BYPASS, CLAIM, LOCATED))
_OWN_NAMES: Final = frozenset((b"authorization", b"proxy-authorization", b"referer"))


class FieldLine:
    """A well-formed field line as it is passed on, and which field it is (known_fields.py).

    `value`, without white space around, is known of the fields that must be understood.
    `number` is that of a length, or 1 of a Host that is one; -1 where there is something wrong.
    """

    __slots__ = ("kind", "line", "number", "value")

    def __init__(self, kind: int, line: bytes, value: bytes, number: int) -> None:
        self.kind = kind
        self.line = line
        self.value = value
        self.number = number


class FieldLines:
    """The lines of one direction: those of requests, or those of answers."""

    __slots__ = ("_kinds", "_known", "_names")

    def __init__(self, kinds: dict[bytes, int]) -> None:
        """`kinds` are those of known_fields.py, by names in lower case."""
        self._kinds = kinds
        self._names: dict[bytes, int] = {}
        self._known: dict[bytes, FieldLine] = {}

    @property
    def remembered(self) -> int:
        """How many lines it knows."""
        return len(self._known)

    def read(self, block: bytes) -> list[FieldLine] | None:
        """The lines of a `block`, which are separated by CRLF; None where one is malformed."""
        known = self._known
        fields: list[FieldLine] = []
        for line in block.split(b"\r\n"):
            field = known.get(line)
            if field is None:
                field = self._judged(line)
                if field is None:
                    return None
            fields.append(field)
        return fields

    def _judged(self, line: bytes) -> FieldLine | None:
        """A line that is not known; None where it is malformed."""
        colon = line.find(b":")
        # What can be printed is visible, and most lines can be; to see that costs a third.
        if colon <= 0 or not (line.decode("latin-1").isprintable() or _is_visible(line)):
            return None
        name = line[:colon]
        kind = self._names.get(name, -1)
        if kind < 0:
            if _is_token(name) is None:
                return None
            kind = self._kind(name)
        field = _field(kind, line, colon)
        if (
            len(line) <= LONGEST_LINE
            and kind not in _OWN
            and (kind != PASSED or name.lower() not in _OWN_NAMES)
        ):
            keep(self._known, MOST_LINES, line, field)
        return field

    def _kind(self, name: bytes) -> int:
        """Of a name that is not known as it is spelled."""
        kind = self._kinds.get(name.lower(), PASSED)
        if len(name) <= LONGEST_NAME:
            keep(self._names, MOST_NAMES, name, kind)
        return kind


def _field(kind: int, line: bytes, colon: int) -> FieldLine:
    if kind == PASSED:
        return FieldLine(kind, line, b"", -1)
    value = line[colon + 1 :].strip(b" \t")
    number = -1
    if kind == LENGTH:
        # RFC 9110 §8.6. Zeros before it are not passed on: there are readers to whom they mean
        # octal. bytes.isdigit: ASCII digits only.
        if value.isdigit() and len(value) <= _MOST_DIGITS:
            number = int(value)
            if value[0] == _ZERO:
                line = b"Content-Length: %d" % number
    elif kind == HOST and is_host(value) is not None:
        number = 1
    return FieldLine(kind, line, value, number)
