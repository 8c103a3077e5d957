"""Which of some languages suits a reader. Tags are those of RFC 5646, in lower case."""

from __future__ import annotations

from collections.abc import Collection


def lookup(wanted: str, offered: Collection[str]) -> str | None:
    """The language of `offered` for one range (RFC 4647 §3.4); None where none suits.

    ``de-ch-1996`` is answered by ``de-ch-1996``, ``de-ch`` or ``de``.
    """
    while wanted:
        if wanted in offered:
            return wanted
        wanted = wanted.rpartition("-")[0]
        if wanted[-2:-1] == "-":  # a single letter is no end of a tag: it begins an extension
            wanted = wanted[:-2]
    return None
