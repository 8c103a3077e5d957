"""Secret links by which operators see the site itself while it is down.

A *token* is ``1.EXPIRY.MAC``: EXPIRY in hexadecimal POSIX seconds, MAC the HMAC-SHA256 of
site, holder and EXPIRY in base64url (RFC 4648 §5). A *holder* is what holds the site down: one
window, or the sorry file since it was found. It stands in no token; who checks one knows which
holders act now. So a token is good for the very window that it was made for, and dies with it.

The same token is what a link bears, the value of the cookie that the link sets, and that of a
request field for scripts. Whoever does not have the key can make none.
"""

from __future__ import annotations

import hmac
import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

from sorryd.policy.acting import acts, concerns, opening
from sorryd.policy.answers import Answer
from sorryd.policy.macs import code, derived_key
from sorryd.snapshot import GivenPage, SiteView
from sorryd.window import Window

FOLDER: Final = b"/.sorryd/"
"""Paths below it are sorryd's own while a token may be about."""

LINK: Final = "/.sorryd/bypass"
COOKIE: Final = "sorryd_bypass"
FIELD: Final = "Sorryd-Bypass"

LIFETIME: Final = 30 * 86400.0
"""Seconds that a token is good at the most, from the beginning of its window: whoever extends
that needs no other link."""

MOST_HOLDERS: Final = 16
"""Holders that a token is tried on."""

_read: Final = re.compile(rb"1\.([0-9a-f]{1,10})\.([A-Za-z0-9_-]{43})").fullmatch
# Visible ASCII, and no way to another host: browsers take "//" and "/\" for one.
_is_local: Final = re.compile(rb"/(?![/\\])[!-\[\]-~]*+").fullmatch
_ROOT: Final = b"/"


def bypass_key(secret: bytes | None, own: bytes) -> bytes:
    """The key for tokens: made of the site's secret, else of the daemon's own."""
    return derived_key(own if secret is None else secret, b"sorryd bypass 1")


def holder_of_window(window: Window) -> str:
    """What a token for `window` is bound to."""
    return f"window {window.id}"


def holder_of_file(page: GivenPage) -> str:
    """What a token for the sorry file is bound to: it dies when that goes."""
    return f"file {page.since}"


def holders(view: SiteView, partial: Sequence[Window], now: float) -> tuple[str, ...]:
    """What holds all of the site of `view` down at the instant `now`.

    `partial` are the windows that act on a part of it.
    """
    name = view.site.name
    apart = {window.id for window in partial}
    found = [
        holder_of_window(window)
        for window in view.windows[: bisect_right(view.windows, now, key=opening)]
        if acts(window, now)
        and concerns(window, name)
        and not (window.id in apart or window.scope.members)
    ]
    if view.file is not None:
        found.insert(0, holder_of_file(view.file))
    return tuple(found[:MOST_HOLDERS])


def expiry(begin: float) -> int:
    """The instant until which a token is good that is made for what begins at `begin`."""
    return math.ceil(begin + LIFETIME)


def make(key: bytes, site: str, holder: str, expires: int) -> str:
    """A token that is good until `expires`, an instant."""
    return f"1.{expires:x}.{_mac(key, site, holder, expires).decode('ascii')}"


def is_good(token: bytes, key: bytes, site: str, held_by: Sequence[str], now: float) -> bool:
    """Whether `token`, as it came, is for one of `held_by`, and not outlived at `now`."""
    read = _read(token)
    if read is None:
        return False
    expires = int(read[1], 16)
    good = False
    for holder in held_by:  # all of them: the time that it takes tells nothing
        good |= hmac.compare_digest(_mac(key, site, holder, expires), read[2])
    return good and now < expires


def link(token: str) -> str:
    """The target of the secret link."""
    return f"{LINK}?t={token}"


def asked(target: bytes) -> tuple[bytes, bytes]:
    """The token in the target of a link, b"" for none, and where to go then: a local target."""
    token, to = b"", _ROOT
    for part in target.partition(b"?")[2].split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"t":
            token = value
        elif name == b"to":
            to = unquote_to_bytes(value)
    return token, to if _is_local(to) else _ROOT


def followed(token: bytes | None, to: bytes, secure: bool) -> Answer:
    """The answer to the link: on to `to`, a local target, with `token` in a cookie.

    The browser keeps that until it is closed (RFC 6265 §4.1), and where the operator came by
    https, `secure`, sends it over nothing else.
    """
    lines = b"Location: %b\r\nContent-Length: 0\r\nCache-Control: no-store\r\n" % to
    lines += b"Referrer-Policy: no-referrer\r\n"
    if token is not None:
        cookie = b"%b=%b; Path=/; HttpOnly; SameSite=Lax" % (COOKIE.encode("ascii"), token)
        lines += b"Set-Cookie: %b%b\r\n" % (cookie, b"; Secure" if secure else b"")
    return Answer(status=HTTPStatus.FOUND, lines=lines)


def _mac(key: bytes, site: str, holder: str, expires: int) -> bytes:
    return code(key, f"{site}\n{holder}\n{expires}")
