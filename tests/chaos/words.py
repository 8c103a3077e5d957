"""What the processes of a load and of a probe write down, one JSON object a line.

Moments are of ``time.monotonic``, which all processes of a machine share; instants are wall time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A request that was not answered whole and rightly; all three times are moments.

    `opened` is when its connection was asked for, `port` the visitor's own.
    """

    kind: str
    why: str
    opened: float
    began: float
    ended: float
    port: int


class Counted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a load has done by its end: right answers by kind, and the slowest, in seconds."""

    right: dict[str, int]
    slowest: dict[str, float]


class Seen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An answer that a probe got; `asked` and `answered` are instants.

    `said` is ``page`` or the apology's cause.
    """

    site: str
    asked: float
    answered: float
    said: str


Word = Failed | Counted | Seen


def read(file: Path) -> Iterator[Word]:
    """What a process wrote."""
    with file.open("rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line, type=Word)
