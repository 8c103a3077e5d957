"""What the fuzz tests found once, and a few of their cases: see tests/fuzz."""

from __future__ import annotations

import functools
from pathlib import Path
from random import Random
from typing import Final

import pytest
from tests.fuzz.case import (
    Case,
    FaultFound,
    Line,
    Property,
    Tally,
    keep,
    kept,
    kind_of,
    read,
    written,
)
from tests.fuzz.properties import PROPERTIES
from tests.fuzz.running import Runner
from tests.fuzz.shrinking import shrunk

KEPT_CASES: Final = kept()
SEEDS: Final = 400  # of each property
ENOUGH: Final = {
    "visitor": ("requests passed on whole", "answers", "refused 400"),
    "member": ("whole", "cut", "apologies 502"),
}


@functools.cache
def the(name: str) -> Property:
    return PROPERTIES[name]()


@pytest.mark.parametrize("file", KEPT_CASES)
def test_what_was_found(file: str) -> None:
    """It is never wrong again."""
    name, case = KEPT_CASES[file]
    the(name).check(case, Tally())


@pytest.mark.parametrize("name", PROPERTIES)
def test_by_chance(name: str) -> None:
    """A few cases, always the same, and not all of them refused."""
    tally = Tally()
    for seed in range(SEEDS):
        the(name).check(the(name).make(Random(seed)), tally)
    for what in ENOUGH.get(name, ()):
        assert tally.counts[what] > SEEDS // 20, what


# --- how it is done ---------------------------------------------------------------------


class NoBang:
    """A property that does not hold: nobody says "!"."""

    name = "bang"

    def make(self, random: Random) -> Case:
        return Line("says", random.randbytes(200)), Line("says", b"a!b"), Line("other", b"c!")

    def check(self, case: Case, tally: Tally) -> None:
        tally("lines", len(case))
        if any(line.word == "says" and b"!" in line.data for line in case):
            raise FaultFound(f"bang: {case}")


def test_finding_is_made_small_and_kept(tmp_path: Path) -> None:
    """One case of each kind, as small as it fails, in a file that brings it back."""
    said: list[str] = []
    runner = Runner([NoBang()], said.append, tmp_path)
    for seed in range(3):
        runner.try_one(NoBang(), str(seed))
    small = (Line("says", b"!"),)
    assert runner.found == {"bang: bang: ": small}
    assert [path.name for path in tmp_path.iterdir()] == ["bang_1.txt"]
    assert read((tmp_path / "bang_1.txt").read_text()) == ("bang", small)
    assert len(said) == 1


def test_files_of_cases(tmp_path: Path) -> None:
    """All bytes survive, and no file is written over."""
    case = (Line("says", bytes(range(256))), Line("ends"))
    assert read(written("all: of\nthem", "visitor", case)) == ("visitor", case)
    assert keep("a", "visitor", case, tmp_path) != keep("b", "visitor", case, tmp_path)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("left: slots: 1", "left: slots: 2", True),
        ("left: slots: 1", "left: timed: 1", False),
        ("lax: h11: b'a'", 'lax: h11: b"b"', True),
        ("lax: h11: x", "lax: llhttp: x", False),
    ],
)
def test_kinds_of_faults(one: str, other: str, is_same: bool) -> None:
    """What is told of the one case does not count."""
    assert (kind_of(one) == kind_of(other)) is is_same


def test_shrinking_joins_and_leaves_out() -> None:
    """What fails only with some bytes in their order, is left with those."""
    case = tuple(Line("says", piece) for piece in (b"xxa", b"bxx", b"xcx", b"y"))
    small = shrunk(
        case, lambda one: b"abc" in b"".join(line.data for line in one).replace(b"x", b"")
    )
    assert b"".join(line.data for line in small) == b"abc"
    assert len(small) == 1
