"""Operators' tokens (policy/bypass.py), taken out of a request's head before it goes anywhere.

The cookie and the field are sorryd's own, by their names: no member ever sees one, good or bad.
"""

from __future__ import annotations

from typing import Final

from sorryd.policy.bypass import COOKIE
from sorryd.policy.cookies import splitter, value_of, without
from sorryd.policy.heads import RequestHead
from sorryd.policy.reception import Bypass

TOKENS: Final = COOKIE.encode("ascii")
"""What a Cookie line holds that may have one."""

MOST: Final = 4
"""Tokens of one request that are looked at: each costs work."""

_split: Final = splitter(TOKENS)


def take_cookies(head: RequestHead, line: bytes) -> bytes:
    """A Cookie line without the tokens; b"" where nothing is left of it."""
    values: list[bytes] = []
    line = without(line, _split, values)
    for value in values:
        take_token(head, Bypass.COOKIE, value_of(value))
    return line


def take_token(head: RequestHead, how: Bypass, token: bytes) -> None:
    """Keep a token for who judges it."""
    if head.tokens is None:
        head.tokens = []
    if len(head.tokens) < MOST:
        head.tokens.append((how, token))
