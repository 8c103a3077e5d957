"""Heads as values."""

from __future__ import annotations

import re

import pytest

from sorryd.edge.bad_message import BadMessage
from sorryd.policy.fields import TOKEN
from sorryd.policy.heads import RequestHead

TCHAR = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_token() -> None:
    """Exactly the characters of RFC 9110's `tchar` make a token."""
    assert {bytes([n]) for n in range(256) if re.fullmatch(TOKEN, bytes([n]))} == {
        TCHAR[at : at + 1] for at in range(len(TCHAR))
    }


@pytest.mark.parametrize(
    ("length", "has_body"),
    [
        pytest.param(0, False, id="length 0"),
        pytest.param(1, True, id="length 1"),
        pytest.param(None, True, id="chunked"),
    ],
)
def test_has_body(length: int | None, has_body: bool) -> None:
    """Only a framing that announces bytes announces a body."""
    head = RequestHead(b"POST", b"/", 1)
    head.length = length
    assert head.has_body is has_body


def test_bad_message_says_what_is_wrong() -> None:
    """The log gets the status and the reason."""
    assert str(BadMessage(400, "no Host")) == "(400, 'no Host')"
