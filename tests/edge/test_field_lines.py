"""Field lines that were judged before: found again by all of their bytes, and not too many."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from sorryd.edge.field_lines import LONGEST_LINE, MOST_LINES, FieldLine, FieldLines
from sorryd.edge.known_fields import CONNECTION, COOKIE, LENGTH, PASSED, REQUEST_FIELDS
from sorryd.policy.fields import TOKEN

well_formed = re.compile(TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+").fullmatch


def value(fields: list[FieldLine] | None) -> list[tuple[int, bytes, bytes, int]] | None:
    if fields is None:
        return None
    return [(field.kind, field.line, field.value, field.number) for field in fields]


names = st.sampled_from(
    [b"Host", b"host", b"X", b"X-\xff", b"", b"X Y", b" X", b"Content-Length", b"Cookie", b"TE"]
)
values = st.sampled_from(
    [b"", b" a", b" 3", b" 03", b"\x00", b" a\rb", b" a\nb", b" \x7f", b" \xe9"]
)
lines = st.builds(
    lambda name, colon, value: name + colon + value,
    names,
    st.sampled_from([b":", b" :", b""]),
    values,
)


@given(st.lists(lines, min_size=1, max_size=4), st.lists(lines, min_size=1, max_size=4))
def test_as_the_grammar_says(before: list[bytes], block: list[bytes]) -> None:
    """A block is well-formed if each of its lines is, whatever was read before."""
    known = FieldLines(REQUEST_FIELDS)
    for one in (before, block, block):
        read = known.read(b"\r\n".join(one))
        assert (read is None) == any(well_formed(line) is None for line in one)
        assert value(read) == value(FieldLines(REQUEST_FIELDS).read(b"\r\n".join(one)))


def test_kinds() -> None:
    """Names have no case, values have no white space around, and lengths no zeros before."""
    fields = FieldLines(REQUEST_FIELDS).read(b"X: y\r\ncoNNection:  close \r\nContent-Length: 007")
    assert value(fields) == [
        (PASSED, b"X: y", b"", -1),
        (CONNECTION, b"coNNection:  close ", b"close", -1),
        (LENGTH, b"Content-Length: 7", b"007", 7),
    ]


def test_bounds() -> None:
    """However many lines come, and however long they are, few are kept."""
    known = FieldLines(REQUEST_FIELDS)
    for n in range(3 * MOST_LINES):
        assert known.read(b"X%d: y" % n) is not None
        assert known.remembered <= MOST_LINES
    known = FieldLines(REQUEST_FIELDS)
    assert known.read(b"X: " + b"y" * LONGEST_LINE) is not None
    assert known.remembered == 0


def test_what_is_nobody_elses() -> None:
    """What says who a visitor is is not kept."""
    known = FieldLines(REQUEST_FIELDS)
    read = known.read(b"Cookie: a=b\r\nAUTHORIZATION: x\r\nreferer: y\r\nSorryd-Bypass: z")
    assert read is not None
    assert read[0].kind == COOKIE
    assert known.remembered == 0


def test_every_byte() -> None:
    """A value is made of exactly the bytes that RFC 9110 §5.5 allows."""
    for n in range(256):
        line = b"X: a%cb" % n
        read = FieldLines(REQUEST_FIELDS).read(line) if n not in b"\r\n" else None
        assert (read is not None) == (well_formed(line) is not None), n
