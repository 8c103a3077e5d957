"""Short plain answers to what no member gets to see."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from tests.edge.llhttp import answers

from sorryd.edge.refusals import refusal

STATUSES = (400, 405, 408, 413, 414, 417, 421, 431, 501, 503, 505)


@pytest.mark.parametrize("status", STATUSES)
def test_refusal(status: int) -> None:
    """A refusal is a whole answer with its reason, is kept by no cache, and is the last one."""
    (answer,) = answers(refusal(status, "what is wrong", False))
    assert answer.status == status
    assert answer.body == f"{status} {HTTPStatus(status).phrase}: what is wrong\n".encode()
    assert answer.field(b"connection") == b"close"
    assert answer.field(b"cache-control") == b"no-store"
    assert answer.field(b"content-type") == b"text/plain; charset=utf-8"


def test_refusal_of_head() -> None:
    """The answer to HEAD is the head alone, with the length that the body would have."""
    whole = refusal(408, "too late", False)
    head, _, body = whole.partition(b"\r\n\r\n")
    assert refusal(408, "too late", True) == head + b"\r\n\r\n"
    assert b"Content-Length: %d\r\n" % len(body) in head


@pytest.mark.parametrize("status", STATUSES)
def test_allow(status: int) -> None:
    """RFC 9110 §15.5.6: 405 says what is allowed, which is not CONNECT; the others say nothing."""
    (answer,) = answers(refusal(status, "no", False))
    allowed = answer.field(b"allow")
    if status == 405:
        assert allowed is not None
        assert b"GET" in allowed
        assert b"CONNECT" not in allowed
    else:
        assert allowed is None


@pytest.mark.parametrize("status", STATUSES)
def test_retry_after(status: int) -> None:
    """Only where there is no place it makes sense to come again soon (RFC 9110 §15.6.4)."""
    (answer,) = answers(refusal(status, "no", False))
    assert answer.field(b"retry-after") == (b"1" if status == 503 else None)
