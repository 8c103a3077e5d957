"""The answer that sends a visitor of a plain listener to https."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from sorryd.model import Listen
from sorryd.policy.routing import without_port

HTTPS: Final = 443

# What no URI holds as it is (RFC 3986 §2). "#" would begin a fragment, which is no part of what
# was asked for.
_no_uri: Final = re.compile(rb"[^!-~]|#")


def https_port(listen: Sequence[Listen]) -> int:
    """The port that a site with these listeners is sent to.

    443 if it listens there with TLS, or at no port that is known (somebody before us may); else
    that of its first TLS listener.
    """
    ports = [one.port for one in listen if one.tls and one.port]
    return HTTPS if HTTPS in ports or not ports else ports[0]


def redirection(host: bytes, target: bytes, port: int, head_only: bool, close: bool) -> bytes:
    """The whole answer: 308 (RFC 9110 §15.4.9) to `target` at the host of `host` and `port`.

    `target` is in origin form, `host` a Host that was judged. Where that is missing, nobody can
    say where to go: 400. `close`: it is the connection's last answer.
    """
    name = without_port(host)
    if not name:
        return _answer(HTTPStatus.BAD_REQUEST, b"", b"no Host to redirect to", head_only, close)
    at = b"" if port == HTTPS else b":%d" % port
    place = b"https://%b%b%b" % (name, at, _no_uri.sub(_encoded, target))
    where = b"Location: %b\r\n" % place
    return _answer(HTTPStatus.PERMANENT_REDIRECT, where, b"see " + place, head_only, close)


def _encoded(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


def _answer(status: HTTPStatus, line: bytes, why: bytes, head_only: bool, close: bool) -> bytes:
    body = b"%d %b: %b\n" % (status, status.phrase.encode("ascii"), why)
    return (
        b"HTTP/1.1 %d %b\r\n%bContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: %d\r\n%b\r\n%b"
    ) % (
        status,
        status.phrase.encode("ascii"),
        line,
        len(body),
        b"Connection: close\r\n" if close else b"",
        b"" if head_only else body,
    )
