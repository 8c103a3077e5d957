"""Request bodies that a visitor waits to be asked for, or that nobody reads."""

from __future__ import annotations

import pytest
from tests.edge.messages import (
    CHUNKED,
    GET,
    OK,
    answer,
    asked,
    chunked,
    field_of,
    length,
    passed,
    request,
    status_of,
    upload,
)
from tests.edge.scene import NOON, Stage, window

from sorryd.edge.requests import DISCARDED

EXPECT = b"Expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TOO_LARGE = answer(b"no", first=b"HTTP/1.1 413 Content Too Large")


# --- 100 (Continue) -----------------------------------------------------------------------


def test_continue(stage: Stage) -> None:
    """Expect goes to the member, its 100 to the visitor, and the body after it."""
    scene = stage()
    visitor = scene.visitor()
    head = upload(3, fields=EXPECT)
    visitor.says(head)
    member = scene.member()
    assert member.gets() == asked(head)
    member.says(CONTINUE)
    assert visitor.gets() == passed(CONTINUE)
    visitor.says(b"abc")
    assert member.gets() == b"abc"
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert visitor.is_open
    assert member.is_open


@pytest.mark.parametrize("body", [b"", b"abc"], ids=["it waits", "it went on by itself"])
def test_final_answer_instead_of_continue(stage: Stage, body: bytes) -> None:
    """Who waits for 100 and gets a final answer may send the body or not: the connection ends.

    Nobody can tell such a body from another request (RFC 9110 §10.1.1).
    """
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(4, fields=EXPECT) + body)
    scene.member().says(TOO_LARGE)
    lives = bool(body)
    assert visitor.gets() == passed(TOO_LARGE, b"" if lives else b"Connection: close\r\n")
    assert visitor.is_open is lives
    if lives:
        visitor.says(b"d")
    else:
        visitor.ends()


@pytest.mark.parametrize("down", [True, False], ids=["down", "no member left"])
def test_apology_instead_of_continue(stage: Stage, down: bool) -> None:
    """The apology to who waits for 100 ends the connection, too."""
    scene = stage()
    if down:
        scene.publish(window(NOON, None))
    scene.refusing["a"] = "connection refused"
    visitor = scene.visitor()
    visitor.says(upload(3, fields=EXPECT))
    got = visitor.gets()
    assert status_of(got) == (503 if down else 502)
    assert field_of(got, b"Connection") == b"close"
    assert visitor.has_fin
    visitor.ends()


# --- under the apology --------------------------------------------------------------------


@pytest.mark.parametrize("split", [False, True], ids=["with the head", "later"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_body_under_the_apology(stage: Stage, split: bool, framing: str) -> None:
    """The body of a request that gets the apology is read away, and the connection lives."""
    scene = stage()
    scene.publish(window(NOON, NOON + 60))
    visitor = scene.visitor()
    body = chunked(b"abc") if framing == "chunked" else b"abcde"
    head = request(b"POST / HTTP/1.1", CHUNKED if framing == "chunked" else length(5))
    visitor.says(*((head, body) if split else (head + body,)))
    got = visitor.gets()
    assert status_of(got) == 503
    assert field_of(got, b"Connection") is None
    scene.wall = NOON + 60
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)


def test_large_body_under_the_apology(stage: Stage) -> None:
    """A body of over 1 MiB is not waited for: the apology says close."""
    scene = stage()
    scene.publish(window(NOON, None))
    visitor = scene.visitor()
    visitor.says(upload(DISCARDED + 1))
    got = visitor.gets()
    assert status_of(got) == 503
    assert field_of(got, b"Connection") == b"close"
    assert visitor.has_fin
    visitor.says_at_once(bytes(DISCARDED + 1))
    assert visitor.unread == 0
    visitor.ends()
    assert visitor.is_gone


def test_chunks_under_the_apology(stage: Stage) -> None:
    """Chunks are read away up to 1 MiB, then the connection ends."""
    scene = stage()
    scene.publish(window(NOON, None))
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED))
    assert status_of(visitor.gets()) == 503
    for _ in range(17):
        visitor.says_at_once(chunked(bytes(65536), end=False))
    assert visitor.has_fin
    assert visitor.unread == 0
    visitor.ends()
