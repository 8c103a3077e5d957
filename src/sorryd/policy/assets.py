"""Files that sorryd serves by itself: what is answered, but for the bytes of the file.

GET and HEAD, conditional (RFC 9110 §13) and of one range (§14). Ranges that can't be read, and
several at once, are ignored, which §14.2 allows: the answer is the whole file.
"""

from __future__ import annotations

import math
import mimetypes
import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Protocol

from sorryd.model import Value
from sorryd.policy.answers import Answer, refused
from sorryd.policy.dates import imf_fixdate
from sorryd.policy.fields import lists

MAX_AGE: Final = 60
"""Seconds for which a copy is used without asking again. Without them, caches would guess from
the file's age, and keep an old one for days."""

_FRESH: Final = 2.0  # seconds in which a file may change once more without a new mtime
_OCTETS: Final = "application/octet-stream"
_PACKED: Final = {"gzip": "application/gzip", "bzip2": "application/x-bzip2"}
_tags: Final = re.compile(rb'((?:W/)?)("[!#-~\x80-\xff]*+")').findall
_range: Final = re.compile(rb"[ \t]*+([0-9]{0,18})[ \t]*+-[ \t]*+([0-9]{0,18})[ \t]*+").fullmatch
_CONDITIONS: Final = frozenset(
    {b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range"}
    | {b"range"}
)


def _types() -> mimetypes.MimeTypes:
    """Python's own, whatever the machine's files say, with those of the web that it lacks."""
    types = mimetypes.MimeTypes()
    for ending, media_type in {
        ".avif": "image/avif", ".map": "application/json",
        ".js": "text/javascript", ".mjs": "text/javascript",
        ".webmanifest": "application/manifest+json", ".webp": "image/webp",
        ".woff": "font/woff", ".woff2": "font/woff2", ".otf": "font/otf", ".ttf": "font/ttf",
    }.items():  # fmt: skip
        types.add_type(media_type, ending)
    return types


_TYPES: Final = _types()


class Request(Protocol):
    """What is asked here of a request's head."""

    @property
    def method(self) -> bytes: ...
    @property
    def lines(self) -> Sequence[bytes]: ...


class File(Value, frozen=True):
    """A regular file as it was when it was opened. `mtime` in nanoseconds of POSIX time."""

    size: int
    mtime: int
    inode: int

    def modified(self, now: float) -> int:
        """The instant in whole seconds for Last-Modified, never to come (RFC 9110 §8.8.2.1)."""
        return max(0, min(self.mtime // 1_000_000_000, math.floor(now)))


def not_allowed() -> Answer:
    """For all methods but GET and HEAD."""
    return refused(
        HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", False, b"Allow: GET, HEAD\r\n"
    )


def served(head: Request, path: bytes, file: File, now: float) -> Answer:
    """The answer to GET or HEAD for a file, by its `path`; RFC 9110 §13.2.2 has the order."""
    tag, modified = entity_tag(file, now), file.modified(now)
    asked = lists(head.lines, _CONDITIONS)
    common = b"ETag: %b\r\nLast-Modified: %b\r\nCache-Control: public, max-age=%d\r\n" % (
        tag, imf_fixdate(modified).encode("ascii"), MAX_AGE,
    )  # fmt: skip
    if _has_failed(asked, tag, modified):
        return refused(HTTPStatus.PRECONDITION_FAILED, "it has changed", head.method == b"HEAD")
    if _is_known(asked, tag, modified):
        return Answer(status=HTTPStatus.NOT_MODIFIED, lines=common)
    lines = b"%bContent-Type: %b\r\nX-Content-Type-Options: nosniff\r\nAccept-Ranges: bytes\r\n" % (
        common, media_type(path).encode("ascii"),
    )  # fmt: skip
    if head.method == b"GET" and b"range" in asked and _is_same(asked, tag, modified):
        part = _part(asked[b"range"], file.size)
        if part is not None:
            return _partial(part, file.size, lines)
    return _part_of(HTTPStatus.OK, lines, 0, file.size)


def entity_tag(file: File, now: float) -> bytes:
    """Another one for each change; weak (RFC 9110 §8.8.1) while the next could be unseen."""
    weak = b"W/" if now - file.mtime / 1e9 < _FRESH else b""
    return weak + b'"%x-%x-%x"' % (file.mtime, file.size, file.inode)


def media_type(path: bytes) -> str:
    """The value of Content-Type, by the ending of the name."""
    kind, packed = _TYPES.guess_type(path.rpartition(b"/")[2].decode("ascii", "replace"), False)
    if packed is not None:
        return _PACKED.get(packed, _OCTETS)
    if kind is None:
        return _OCTETS
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _has_failed(asked: dict[bytes, bytes], tag: bytes, modified: int) -> bool:
    """If-Match, else If-Unmodified-Since, which no strong validator of ours fulfils."""
    match = asked.get(b"if-match")
    if match is not None:
        return match != b"*" and (b"", tag) not in _tags(match)
    since = _instant(asked.get(b"if-unmodified-since"))
    return since is not None and modified > since


def _is_known(asked: dict[bytes, bytes], tag: bytes, modified: int) -> bool:
    """If-None-Match, compared weakly, else If-Modified-Since."""
    match = asked.get(b"if-none-match")
    if match is not None:
        return match == b"*" or any(one == tag.removeprefix(b"W/") for _, one in _tags(match))
    since = _instant(asked.get(b"if-modified-since"))
    return since is not None and modified <= since


def _is_same(asked: dict[bytes, bytes], tag: bytes, modified: int) -> bool:
    """If-Range: whether a part of the file fits to what is there; compared strongly."""
    condition = asked.get(b"if-range")
    if condition is None:
        return True
    if tag.startswith(b"W/"):
        return False
    return condition == tag or _instant(condition) == modified


def _instant(value: bytes | None) -> float | None:
    """An HTTP date; None where it is none."""
    if value is None:
        return None
    try:
        return parsedate_to_datetime(value.decode("ascii")).timestamp()
    except (ValueError, OverflowError):
        return None


def _part(value: bytes, size: int) -> tuple[int, int] | None:
    """First byte and length; length 0 where no byte is there. None: no range, or several."""
    unit, _, written = value.partition(b"=")
    found = _range(written)
    if unit.strip(b" \t").lower() != b"bytes" or found is None:
        return None
    first, last = found.groups()
    if not first:
        if not last:
            return None
        length = min(int(last), size)
        return size - length, length
    begin, end = int(first), int(last) if last else size - 1
    if last and end < begin:
        return None
    return begin, max(0, min(end, size - 1) - begin + 1)


def _partial(part: tuple[int, int], size: int, lines: bytes) -> Answer:
    start, length = part
    if not length:
        where = b"Content-Range: bytes */%d\r\n" % size
        return refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "not that long", False, where)
    lines += b"Content-Range: bytes %d-%d/%d\r\n" % (start, start + length - 1, size)
    return _part_of(HTTPStatus.PARTIAL_CONTENT, lines, start, length)


def _part_of(status: HTTPStatus, lines: bytes, start: int, length: int) -> Answer:
    lines += b"Content-Length: %d\r\n" % length
    return Answer(status=status, lines=lines, start=start, length=length)
