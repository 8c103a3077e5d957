"""What several workers warn of at once is said once."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from sorryd.workers.echoes import MOST, QUIET, Echoes
from sorryd.workers.orders import Said

FULL = Said("warn", "sorryd.edge.entrance", "site shop is full")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def echoes(clock: Clock) -> Echoes:
    return Echoes(clock.seconds)


def test_another_one_says_the_same(echoes: Echoes, clock: Clock) -> None:
    """For a minute the others are not heard, whoever began may say it again."""
    assert not echoes.is_one(1, FULL)
    assert echoes.is_one(2, FULL)
    clock.advance(QUIET - 1)
    assert echoes.is_one(3, FULL)
    assert not echoes.is_one(1, FULL)
    clock.advance(QUIET - 1)
    assert echoes.is_one(2, FULL)
    clock.advance(1)
    assert not echoes.is_one(2, FULL)
    assert echoes.is_one(1, FULL)


@pytest.mark.parametrize("level", ["debug", "info"])
def test_lines_that_are_no_warnings(echoes: Echoes, level: str) -> None:
    """Each of them is heard: a visitor's request may be like another one's."""
    said = Said(level, "sorryd.access_log", "192.0.2.1 - -")
    assert not echoes.is_one(1, said)
    assert not echoes.is_one(2, said)


def test_other_words(echoes: Echoes) -> None:
    """What is not the same is heard; and not all that was ever said is remembered."""
    assert not echoes.is_one(1, FULL)
    for number in range(MOST):
        assert not echoes.is_one(2, Said("warn", "", f"site {number} is full"))
    assert not echoes.is_one(2, FULL)
