"""Heads that a member sends again: read once, and never taken for others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.reading import message

from sorryd.edge.answers import LONGEST, MOST, AnswerReader, known_heads
from sorryd.edge.bad_message import BadMessage
from sorryd.edge.http1 import read_response
from sorryd.policy.headers import PRIVATE, response_head
from sorryd.policy.heads import ResponseHead

DATE = b"Date: Sat, 28 Nov 2026 02:00:00 GMT"
LENGTH = b"Content-Length: 3"
LINES = (
    DATE,
    LENGTH,
    b"Content-Length: 4",
    b"Content-Length: 03",
    b"content-length: 3",
    b"Transfer-Encoding: chunked",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: x-hop, close",
    b"X-Hop: 1",
    b"Connection: upgrade",
    b"Upgrade: websocket",
    b"Location: /elsewhere",
    b"Set-Cookie: a=b",
    b"Bad line",
    b"X: a\rb",
)


def value(head: ResponseHead) -> tuple[object, ...]:
    """All that is known of a head, and what goes to a visitor."""
    sent = response_head(head, head.chunked, b"Connection: close\r\n")
    framing = (head.length, head.chunked, head.keep_alive, head.upgrade)
    return head.minor, head.status, head.reason, head.lines, head.located, framing, head.size, sent


def fresh(data: bytes, bodiless: bool = False) -> tuple[object, ...] | int:
    """What a head is to one who has read nothing before; or the status of its refusal."""
    try:
        return value(read_response(data, len(data), bodiless))
    except BadMessage as why:
        return why.status


def read(answers: AnswerReader, data: bytes, bodiless: bool = False) -> tuple[object, ...] | int:
    """The same, as it is read with what was read before."""
    try:
        head = answers.read(data + b"rest", bodiless)
    except BadMessage as why:
        return why.status
    assert head is not None
    return value(head)


heads = st.builds(
    lambda minor, status, reason, lines: message(
        b"HTTP/1.%d %d%b" % (minor, status, reason), *lines, host=None
    ),
    st.sampled_from([0, 1]),
    st.sampled_from([100, 101, 103, 200, 204, 206, 304, 404, 426, 503]),
    st.sampled_from([b"", b" ", b" OK", b" \xc3\xa9"]),
    st.lists(st.sampled_from(LINES), max_size=4),
)


@given(
    st.lists(heads, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12),
)
def test_as_if_it_were_the_first(known: list[bytes], order: list[tuple[int, bool]]) -> None:
    """Whatever a member has answered before, a head is read as its first one."""
    answers = AnswerReader(4096)
    for at, bodiless in [(0, False), (0, False), *order]:
        data = known[at % len(known)]
        assert read(answers, data, bodiless) == fresh(data, bodiless)


PLAIN = message(b"HTTP/1.1 200 OK", DATE, LENGTH, host=None)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(PLAIN.replace(b"00 GMT", b"01 GMT"), id="a byte of Date"),
        pytest.param(PLAIN.replace(b"h: 3", b"h: 4"), id="another length"),
        pytest.param(PLAIN.replace(b"Length: 3", b"Type: x"), id="until the end"),
        pytest.param(PLAIN.replace(LENGTH, b"Transfer-Encoding: chunked"), id="chunked"),
        pytest.param(PLAIN.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
        pytest.param(PLAIN.replace(b"200", b"201"), id="another status"),
        pytest.param(PLAIN.replace(b"200", b"204"), id="204"),
        pytest.param(PLAIN.replace(b"200", b"304"), id="304"),
        pytest.param(PLAIN.replace(b"200", b"103"), id="103"),
        pytest.param(PLAIN[:-2] + b"Connection: close\r\n\r\n", id="one line more"),
        pytest.param(
            message(b"HTTP/1.1 200 OK", DATE, LENGTH, b"Connection: date, x", b"X: y", host=None),
            id="a field of one hop",
        ),
        pytest.param(PLAIN[:-2] + b"Location: /\r\n\r\n", id="a place"),
    ],
)
def test_never_another_one(other: bytes) -> None:
    """A head that differs in one thing is read as it is, before and after the known one."""
    answers = AnswerReader(4096)
    for data in (PLAIN, PLAIN, other, PLAIN, other, other, PLAIN):
        assert read(answers, data) == fresh(data)
        assert read(answers, data, True) == fresh(data, True)
    assert fresh(other) != fresh(PLAIN)


def test_once_for_all() -> None:
    """The same bytes are the same head, and HEAD is answered otherwise."""
    answers = AnswerReader(4096)
    first = answers.read(PLAIN + b"one", False)
    assert first is not None
    assert first.is_shared
    assert answers.read(PLAIN + b"two", False) is first
    assert answers.read(PLAIN[:-1], False) is None
    bodiless = answers.read(PLAIN, True)
    assert bodiless is not None
    assert (first.length, bodiless.length) == (3, 0)
    assert response_head(first, False, b"") == response_head(first, False, b"")
    assert response_head(first, True, b"X: y\r\n").endswith(
        b"Transfer-Encoding: chunked\r\nX: y\r\n\r\n"
    )


def test_for_all_members() -> None:
    """Members of one kind say the same: what one of them said is known when others say it."""
    first, second = AnswerReader(4096), AnswerReader(4096)
    other = PLAIN.replace(b"Length: 3", b"Length: 4")
    head = first.read(PLAIN, False)
    assert second.read(other, False) is not head
    assert second.read(PLAIN + b"one", False) is head
    assert second.read(PLAIN, True) is not head, "HEAD is answered otherwise"
    with pytest.raises(BadMessage):
        AnswerReader(len(PLAIN) - 1).read(PLAIN, False)


def test_so_many() -> None:
    """Heads that never come again do not pile up."""
    answers = AnswerReader(4096)
    for at in range(3 * MOST):
        answers.read(PLAIN[:-2] + b"X-Number: %d\r\n\r\n" % at, False)
        assert known_heads() <= MOST


@pytest.mark.parametrize(
    ("lines", "is_known"),
    [
        pytest.param((b"X: " + b"y" * 1900,), True, id="long"),
        pytest.param((b"X: " + b"y" * LONGEST,), False, id="too long"),
        pytest.param((b"Set-Cookie: a=b",), False, id="may name the member"),
        pytest.param((b"Connection: upgrade", b"Upgrade: h3"), False, id="an upgrade"),
    ],
)
def test_kept(lines: tuple[bytes, ...], is_known: bool) -> None:
    """What is rewritten for each visitor is read for each, and very long heads are not kept."""
    answers = AnswerReader(4096)
    data = message(b"HTTP/1.1 200 OK", LENGTH, *lines, host=None)
    assert (answers.read(data, False) is answers.read(data, False)) is is_known


def test_for_one_visitor() -> None:
    """A line for one visitor does not get to those who are answered the same."""
    answers = AnswerReader(4096)
    head = answers.read(PLAIN, False)
    assert head is not None
    response_head(head, False, b"")
    own = head.with_line(PRIVATE)
    assert PRIVATE in response_head(own, False, b"")
    assert own.size == len(PLAIN)
    assert PRIVATE not in response_head(head, False, b"")
    assert read(answers, PLAIN) == fresh(PLAIN)


def test_limit() -> None:
    """What is known is within the limit, and no other head gets around it."""
    answers = AnswerReader(len(PLAIN))
    assert answers.read(PLAIN, False) is not None
    with pytest.raises(BadMessage):
        answers.read(PLAIN[:-2] + b"X: y\r\n\r\n", False)


def test_lower_limit() -> None:
    """What was known within a limit is too large for a lower one."""
    answers = AnswerReader(4096)
    assert answers.read(PLAIN, False) is not None
    answers.limit = len(PLAIN) - 1
    with pytest.raises(BadMessage):
        answers.read(PLAIN, False)
