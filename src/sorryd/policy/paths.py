"""The path of a request's target, in the ways in which those behind us may read it.

Servers differ: most decode ``%2e``, some merge slashes, some read a backslash as a slash, end a
segment at ``;`` or decode twice. What depends on a path must hold however it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

_parameters: Final = re.compile(rb";[^/]*+").sub


def is_plain(path: bytes) -> bool:
    """Whether all read `path` alike: as it is written."""
    return not (
        b"%" in path or b"//" in path or b"/." in path or b"\\" in path or b";" in path
    )  # fmt: skip


def readings(target: bytes) -> tuple[bytes, ...]:
    """The paths that `target`, without its query, may be taken for; one for a plain one."""
    path = target.partition(b"?")[0]
    if is_plain(path):
        return (path,)
    once = unquote_to_bytes(path)
    loose = unquote_to_bytes(unquote_to_bytes(_parameters(b"", path))).replace(b"\\", b"/")
    read = (once, _whole(without_dots(once)), _whole(segments(path)), plain(loose))
    return tuple(dict.fromkeys(read))


def segments(target: bytes) -> tuple[bytes, ...]:
    """The segments of a target's path, decoded, without dots and empty ones.

    The last one is empty where the path is that of a folder. One may hold a slash, where that
    was encoded.
    """
    return _kept(unquote_to_bytes(one) for one in target.partition(b"?")[0].split(b"/"))


def without_dots(path: bytes) -> list[bytes]:
    """The segments of `path` after RFC 3986 §5.2.4, which keeps empty ones."""
    kept: list[bytes] = []
    parts = path.split(b"/")[1:]
    for part in parts:
        if part == b"..":
            del kept[-1:]
        elif part != b".":
            kept.append(part)
    if parts and parts[-1] in (b".", b".."):
        kept.append(b"")
    return kept


def plain(path: bytes) -> bytes:
    """The decoded `path` without dots, empty segments, and parameters (RFC 3986 §3.3)."""
    return _whole(_kept(_parameters(b"", path).split(b"/")))


def _whole(parts: Iterable[bytes]) -> bytes:
    return b"/" + b"/".join(parts)


def _kept(parts: Iterable[bytes]) -> tuple[bytes, ...]:
    kept: list[bytes] = []
    part = b""
    for part in parts:
        if part == b"..":
            del kept[-1:]
        elif part not in (b"", b"."):
            kept.append(part)
    return (*kept, b"") if part in (b"", b".", b"..") else tuple(kept)
