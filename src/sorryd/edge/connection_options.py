"""Connection, and what it governs (RFC 9110 §7.6.1, §7.8): persistence, Upgrade, hop-by-hop."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

from sorryd.policy.fields import TOKEN
from sorryd.policy.heads import RequestHead, ResponseHead
from sorryd.policy.keeping import keep

_is_protocol: Final = re.compile(TOKEN + rb"(?:/" + TOKEN + rb")?").fullmatch
# Would be HTTP again, inside a tunnel where nobody judges it; RFC 9113 has no h2c any more.
_NO_TUNNEL: Final = frozenset((b"h2c", b"h2", b"http", b"tls"))
# Fields that carry the framing or the meaning of a message: naming them in Connection does not
# make them hop-by-hop (RFC 9110 §7.6.1 forbids the sender to). The rest are options, not names.
_NOT_NOMINATED: Final = frozenset(
    {b"host", b"content-length", b"content-type", b"content-encoding", b"content-range"}
    | {b"content-disposition", b"content-language", b"content-location", b"trailer"}
    | {b"authorization", b"cache-control", b"cookie", b"date", b"etag", b"expect", b"location"}
    | {b"origin", b"range", b"set-cookie", b"vary", b"via", b"www-authenticate"}
    | {b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range"}
    | {b"close", b"keep-alive", b"upgrade", b"te", b""}
)
_NONE: Final[Set[bytes]] = frozenset()


class _Connection:
    """What Connection asks for (RFC 9110 §7.6.1)."""

    __slots__ = ("close", "keep_alive", "nominated", "upgrade")

    def __init__(self, value: bytes) -> None:
        tokens = {word.strip(b" \t") for word in value.lower().split(b",")}
        self.close = b"close" in tokens
        self.keep_alive = b"keep-alive" in tokens
        self.upgrade = b"upgrade" in tokens
        self.nominated = tokens - _NOT_NOMINATED


# There are a few that all the world sends. Long ones are worked out, so that nobody can make
# this hold much.
_remembered: Final[dict[bytes, _Connection]] = {}
_MOST: Final = 256
_LONGEST: Final = 64  # bytes


def _asked(value: bytes) -> _Connection:
    asked = _remembered.get(value)
    if asked is None:
        asked = _Connection(value)
        if len(value) <= _LONGEST:
            keep(_remembered, _MOST, value, asked)
    return asked


def protocols(minor: int, connection: bytes | None, values: list[bytes]) -> bytes | None:
    """The protocols to upgrade to (RFC 9110 §7.8) that may be passed on, as one list.

    None where Upgrade is to be ignored: under HTTP/1.0, or not named in Connection.
    """
    if minor == 0 or connection is None or not _asked(connection).upgrade:
        return None
    asked = (word.strip(b" \t") for word in b",".join(values).split(b","))
    names = ((word, word.partition(b"/")[0].lower()) for word in asked if _is_protocol(word))
    return b", ".join(word for word, name in names if name not in _NO_TUNNEL) or None


def persistence(head: RequestHead | ResponseHead, connection: bytes | None) -> Set[bytes]:
    """Judge Connection (RFC 9112 §9.3); the field names that it makes hop-by-hop."""
    if connection is None:
        return _NONE
    asked = _asked(connection)
    if asked.close:
        head.keep_alive = False
    elif head.minor == 0 and asked.keep_alive:
        head.keep_alive = True
    return asked.nominated


def without(lines: list[bytes], names: Set[bytes]) -> list[bytes]:
    """`lines` without the fields of these lower-case `names`."""
    return [line for line in lines if line.partition(b":")[0].lower() not in names]
