"""What a window covers of a site: paths, methods, members. Pure.

Paths are compared as a member may read them, so that no spelling slips past: percent-decoded
once, dot segments removed (RFC 3986 §5.2.4), runs of slashes as one, and without the parameters
of a segment (``;jsessionid=...``, RFC 3986 §3.3). Upper and lower case differ.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec.structs import replace

from sorryd.model import Site
from sorryd.policy.paths import plain
from sorryd.window import UNSAFE, Scope, Window, WindowKind

SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
"""RFC 9110 §9.2.1."""


def as_for(window: Window, site: Site) -> Window:
    """`window` as it acts on `site`: where that is `read_only`, on unsafe methods alone.

    That is for planned windows which say no methods, and take out no members.
    """
    scope = window.scope
    if not site.read_only or window.kind is WindowKind.MANUAL or scope.methods or scope.members:
        return window
    return replace(window, scope=replace(scope, methods=(UNSAFE,)))


def covers(scope: Scope, method: bytes, target: bytes) -> bool:
    """Whether a request with `method` and `target`, in origin form or ``*``, is within `scope`.

    One of members covers no request: it is they who are taken out.
    """
    if scope.members:
        return False
    return _has_method(scope, method) and _has_path(scope, target)


def _has_method(scope: Scope, method: bytes) -> bool:
    if not scope.methods:
        return True
    if UNSAFE in scope.methods and method not in SAFE:
        return True
    return any(one.encode() == method for one in scope.methods)


def _has_path(scope: Scope, target: bytes) -> bool:
    if not scope.paths:
        return True
    written = target.partition(b"?")[0].partition(b"#")[0]
    path = plain(unquote_to_bytes(written))
    return any(_is_below(path, _plain_prefix(prefix)) for prefix in scope.paths)


def _is_below(path: bytes, prefix: bytes) -> bool:
    """``/shop`` has ``/shop`` and all below ``/shop/``; ``/shop/`` has only the latter."""
    if prefix.endswith(b"/"):
        return path.startswith(prefix)
    return path == prefix or path.startswith(prefix + b"/")


@lru_cache(maxsize=1024)
def _plain_prefix(prefix: str) -> bytes:
    return plain(unquote_to_bytes(prefix))
