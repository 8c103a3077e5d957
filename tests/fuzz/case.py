"""A case: what is played, line by line; and how it is kept in a file that people can read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Final, Protocol

from sorryd.model import Value

KEPT: Final = Path(__file__).with_name("cases")
"""Where findings are kept: each was wrong once."""


class Line(Value, frozen=True):
    """One thing that is done or given; what its `word` means, the property says."""

    word: str
    data: bytes = b""


Case = tuple[Line, ...]


class Tally:
    """What a run has seen: how often, by what it is called."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def __call__(self, what: str, times: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + times


class Property(Protocol):
    """Something that must hold for all cases."""

    name: str

    def make(self, random: Random) -> Case:
        """A case, by chance alone."""

    def check(self, case: Case, tally: Tally) -> None:
        """Raise whatever is wrong, for every case, whatever its lines."""


class FaultFound(AssertionError):
    """A property does not hold. See `kind_of`."""


_SPECIAL: Final = re.compile(r"b['\"]|[\d(\[{]")


def kind_of(fault: str) -> str:
    """What faults that are alike have in common: all before their text speaks of one case."""
    return _SPECIAL.split(fault)[0]


def all_of(case: Case, word: str) -> Iterator[bytes]:
    """The data of the lines with this word."""
    return (line.data for line in case if line.word == word)


def one_of(case: Case, word: str, default: bytes = b"") -> bytes:
    """The data of the last such line."""
    return next((line.data for line in reversed(case) if line.word == word), default)


# --- files ------------------------------------------------------------------------------


def written(what: str, name: str, case: Case) -> str:
    """The text of a file: what was wrong, the property, and the lines."""
    said = " ".join(what.split())
    return "".join((f"# {said}\n{name}\n", *(f"{line.word} {line.data!r}\n" for line in case)))


def read(text: str) -> tuple[str, Case]:
    """The property's name, and the case. ValueError where it is no such text."""
    _, name, *lines = text.splitlines()
    return name, tuple(_line(line) for line in lines)


def _line(text: str) -> Line:
    word, _, data = text.partition(" ")
    value = ast.literal_eval(data)
    if not isinstance(value, bytes):
        raise ValueError(f"no bytes: {text}")
    return Line(word, value)


def keep(what: str, name: str, case: Case, folder: Path = KEPT) -> Path:
    """Write a finding down, each under a name of its own."""
    number = 1
    while (path := folder / f"{name}_{number}.txt").exists():
        number += 1
    path.write_text(written(what, name, case))
    return path


def kept() -> Mapping[str, tuple[str, Case]]:
    """All findings that were kept, by their file names."""
    return {path.name: read(path.read_text()) for path in sorted(KEPT.glob("*.txt"))}
