"""Field lines: what their values are made of, and those of a request. Names are in lower case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

TCHAR: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
"""A byte of a token (RFC 9110 §5.6.2), as a pattern."""

TOKEN: Final = TCHAR + rb"++"
"""A token; possessive, so that a pattern with many of them is linear in what comes."""


def values(lines: Sequence[bytes], name: bytes) -> Iterator[bytes]:
    """The values of all lines of that `name`, without white space around."""
    for line in lines:
        found, _, value = line.partition(b":")
        if found.lower() == name:
            yield value.strip(b" \t")


def lists(lines: Iterable[bytes], names: Collection[bytes]) -> dict[bytes, bytes]:
    """By name, the values of all lines of these names, each as one list (RFC 9110 §5.3)."""
    found: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in names:
            value = value.strip(b" \t")
            found[name] = found[name] + b", " + value if name in found else value
    return found


def one_value(lines: Sequence[bytes], name: bytes) -> bytes | None:
    """The value of the only line of that `name`; None where there is none, or more than one."""
    found = list(values(lines, name))
    return found[0] if len(found) == 1 else None
