"""A failing case made small: lines left out, joined and cut down, as long as it fails alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final

from tests.fuzz.case import Case, Line

PIECES: Final = ("says", "adds")
Fails = Callable[[Case], bool]


def shrunk(case: Case, fails: Fails, seconds: float = 20.0) -> Case:
    """The smallest case found in this time that still `fails`."""
    until = monotonic() + seconds
    smaller: Case | None = case
    while smaller is not None:
        case = smaller
        smaller = next((one for one in _smaller(case) if monotonic() < until and fails(one)), None)
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Cases that are smaller, those that are much smaller first."""
    yield from _joined(case)
    for size in (len(case) // 2, len(case) // 4):
        for at in range(0, len(case), size) if size > 1 else ():
            yield case[:at] + case[at + size :]
    for at in range(len(case)):
        yield case[:at] + case[at + 1 :]
    for at in range(len(case) - 1):
        if case[at].word == case[at + 1].word:
            joined = Line(case[at].word, case[at].data + case[at + 1].data)
            yield (*case[:at], joined, *case[at + 2 :])
    for at, line in enumerate(case):
        for data in _shorter(line.data):
            yield (*case[:at], Line(line.word, data), *case[at + 1 :])


def _joined(case: Case) -> Iterator[Case]:
    """All pieces that follow each other as one, where there are such."""
    groups = itertools.groupby(case, lambda line: line.word in PIECES)
    joined: list[Line] = []
    for are_pieces, lines in groups:
        one = tuple(lines)
        if are_pieces:
            one = (Line(PIECES[0], b"".join(line.data for line in one)),)
        joined += one
    if len(joined) < len(case):
        yield tuple(joined)


def _shorter(data: bytes) -> Iterator[bytes]:
    size = len(data) // 2
    while size:
        for at in range(0, len(data), size):
            yield data[:at] + data[at + size :]
        size //= 2
