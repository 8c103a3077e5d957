"""Scripts of other origins that ask a site that is down (CORS, in the Fetch standard).

A script may read the apology, whoever asks: it holds nothing that is not for everybody. Its
preflight is granted, so that the request that follows can be made, and gets the apology. It is
not granted for requests with cookies: the site may be back, and the operator's bypass may be
among the cookies, when that request comes, and only the site knows whom it lets do that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sorryd.policy.fields import TCHAR, one_value

_TOKEN: Final = TCHAR + rb"{1,128}"
_is_token: Final = re.compile(_TOKEN).fullmatch
_are_tokens: Final = re.compile(rb"(?:[ \t]*" + _TOKEN + rb"[ \t]*(?:,|\Z)){1,128}").fullmatch
_is_origin: Final = re.compile(
    rb"null|[A-Za-z][A-Za-z0-9+.-]{0,31}://[A-Za-z0-9._~%:\[\]-]{1,300}"
).fullmatch

_READABLE: Final = (
    b"Access-Control-Allow-Origin: %b\r\n"
    b"Access-Control-Allow-Credentials: true\r\n"
    b"Access-Control-Expose-Headers: Retry-After, Sorry-Cause\r\n"
    b"Vary: Origin\r\n"
)
_GRANTED: Final = (
    b"HTTP/1.1 204 No Content\r\n"
    b"Access-Control-Allow-Origin: %b\r\n"
    b"Access-Control-Allow-Methods: %b\r\n"
    b"%b"
    b"Access-Control-Max-Age: 0\r\n"
    b"Cache-Control: no-store\r\n"
    b"Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"
)


def is_origin(value: bytes) -> bool:
    """Whether an Origin field is one (RFC 6454 §7.1), safe to be said again in an answer."""
    return _is_origin(value) is not None


def readable(origin: bytes) -> bytes:
    """The field lines by which scripts of `origin` may read an answer."""
    return _READABLE % origin


def granted(origin: bytes, lines: Sequence[bytes]) -> bytes | None:
    """The head that grants a preflight, without Date and its last line; None where it is none.

    `lines` are the field lines of an OPTIONS request. What is granted is what they ask for.
    """
    method = one_value(lines, b"access-control-request-method")
    if method is None or not _is_token(method):
        return None
    asked = one_value(lines, b"access-control-request-headers") or b""
    headers = b""
    if asked and _are_tokens(asked):
        headers = b"Access-Control-Allow-Headers: %b\r\n" % asked
    return _GRANTED % (origin, method, headers)
