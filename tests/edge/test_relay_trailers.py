"""Trailers (RFC 9110 §6.5): passed on where they may be, and never merged into a head."""

from __future__ import annotations

import pytest
from tests.edge.messages import CHUNKED, asked, request
from tests.edge.scene import Stage

LAST = b"0\r\nA: b\r\nContent-Length: 3\r\nC: d\r\n\r\n"
KEPT = b"0\r\nA: b\r\nC: d\r\n\r\n"


def test_of_a_request(stage: Stage) -> None:
    """A request's trailers reach the member, without those that would change its meaning."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED) + LAST)
    member = scene.member()
    begin = asked(request(b"POST / HTTP/1.1")).replace(b"Via:", CHUNKED + b"Via:")
    assert member.gets() == begin + KEPT
    member.says(b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.mark.parametrize(
    ("first", "field", "gets"),
    [
        (b"GET / HTTP/1.1", b"TE: trailers\r\nConnection: TE\r\n", KEPT),
        (b"GET / HTTP/1.1", b"", b"0\r\n\r\n"),
        (b"GET / HTTP/1.0", b"TE: trailers\r\nConnection: TE\r\n", b""),
    ],
    ids=["asked for", "not asked for", "HTTP/1.0"],
)
def test_of_an_answer(stage: Stage, first: bytes, field: bytes, gets: bytes) -> None:
    """An answer's trailers reach who asked for them by TE (RFC 9110 §6.5.1)."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(first, field))
    member = scene.member()
    assert (b"TE: trailers\r\n" in member.gets()) is bool(gets == KEPT)
    head = b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n"
    member.says(head + LAST)
    got = visitor.gets()
    assert got.partition(b"\r\n\r\n")[2] == gets
    assert b"A: b" not in got.partition(b"\r\n\r\n")[0]


def test_of_an_answer_that_is_none(stage: Stage) -> None:
    """Those behind a status of `fail_on` are not put behind another member's answer."""
    scene = stage(members=2, fail_on=(503,))
    visitor = scene.visitor()
    visitor.says(request(fields=b"TE: trailers\r\nConnection: TE\r\n"))
    failing = scene.member("a")
    failing.says_at_once(b"HTTP/1.1 503 Busy\r\n" + CHUNKED + b"\r\n" + LAST)
    scene.member("b").says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n" + b"0\r\n\r\n")
    assert visitor.gets().partition(b"\r\n\r\n")[2] == b"0\r\n\r\n"
