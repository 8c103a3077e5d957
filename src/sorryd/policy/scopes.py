"""What a window covers of a site: paths, methods, members. Pure.

Paths are compared as a member may read them, so that no spelling slips past: percent-decoded
once, dot segments removed (RFC 3986 §5.2.4), runs of slashes as one, and without the parameters
of a segment (``;jsessionid=...``, RFC 3986 §3.3). Upper and lower case differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec.structs import replace

from sorryd.model import Site
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


def covering(windows: Iterable[Window], method: bytes, target: bytes) -> Window | None:
    """The first of `windows` that covers such a request."""
    return next((window for window in windows if covers(window.scope, method, target)), None)


def covers(scope: Scope, method: bytes, target: bytes) -> bool:
    """Whether a request with `method` and `target` (RFC 9112 §3.2) is within `scope`.

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
    path = plain_path(target)
    return any(_is_below(path, _plain_prefix(prefix)) for prefix in scope.paths)


def _is_below(path: bytes, prefix: bytes) -> bool:
    """``/shop`` has ``/shop`` and all below ``/shop/``; ``/shop/`` has only the latter."""
    if prefix.endswith(b"/"):
        return path.startswith(prefix)
    return path == prefix or path.startswith(prefix + b"/")


def plain_path(target: bytes) -> bytes:
    """The path of `target` in one spelling of the many that it may have."""
    if target[:1] != b"/":  # absolute-form, or ``*``
        _, _, rest = target.partition(b"://")
        authority = rest.split(b"?", 1)[0].split(b"#", 1)[0]
        _, slash, path = authority.partition(b"/")
        target = slash + path
    path = target.split(b"?", 1)[0].split(b"#", 1)[0]
    return _plain(unquote_to_bytes(path))


@lru_cache(maxsize=1024)
def _plain_prefix(prefix: str) -> bytes:
    return _plain(unquote_to_bytes(prefix))


def _plain(path: bytes) -> bytes:
    segments = [segment.split(b";", 1)[0] for segment in path.split(b"/")]
    kept: list[bytes] = []
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    is_folder = segments[-1] in (b"", b".", b"..") and bool(kept)
    return b"/" + b"/".join(kept) + (b"/" if is_folder else b"")
