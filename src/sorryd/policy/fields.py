"""Values of a request's field lines. Names are in lower case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def values(lines: Sequence[bytes], name: bytes) -> Iterator[bytes]:
    """The values of all lines of that `name`, without white space around."""
    for line in lines:
        found, _, value = line.partition(b":")
        if found.lower() == name:
            yield value.strip(b" \t")


def list_value(lines: Sequence[bytes], name: bytes) -> bytes | None:
    """Them all as one list (RFC 9110 §5.3); None where there is no such line."""
    found = list(values(lines, name))
    return b", ".join(found) if found else None


def one_value(lines: Sequence[bytes], name: bytes) -> bytes | None:
    """The value of the only line of that `name`; None where there is none, or more than one."""
    found = list(values(lines, name))
    return found[0] if len(found) == 1 else None
