"""File descriptors: how many, and who stops first."""

from __future__ import annotations

import resource

import pytest

from sorryd.edge.descriptors import OTHERS, Room, is_spare, most_visitors, raise_limit

ENDLESS = resource.RLIM_INFINITY


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The soft and the hard limit."""
    limits = [1024, 4096]
    monkeypatch.setattr(resource, "getrlimit", lambda which: tuple(limits))
    monkeypatch.setattr(
        resource, "setrlimit", lambda which, new: limits.__setitem__(slice(None), new)
    )
    return limits


@pytest.mark.parametrize(
    ("before", "visitors", "after"),
    [
        pytest.param((1024, 4096), 1000, 2000 + OTHERS, id="raised"),
        pytest.param((1024, 4096), 10_000, 4096, id="as far as it goes"),
        pytest.param((1024, 4096), 100, 1024, id="enough"),
        pytest.param((1024, ENDLESS), 10_000, 20_000 + OTHERS, id="no hard limit"),
        pytest.param((ENDLESS, ENDLESS), 10_000, ENDLESS, id="no limit"),
    ],
)
def test_raise_limit(limits: list[int], before: tuple[int, int], visitors: int, after: int) -> None:
    """The soft limit is raised to what the visitors may need; the hard one is never touched."""
    limits[:] = before
    raise_limit(visitors)
    assert limits == [after, before[1]]


@pytest.mark.parametrize(
    ("soft", "visitors", "spare_from"),
    [
        pytest.param(1024, 480, 1008, id="usual"),
        pytest.param(48, 6, 42, id="very low"),
        pytest.param(1, 1, 1, id="at least one"),
    ],
)
def test_shares(limits: list[int], soft: int, visitors: int, spare_from: int) -> None:
    """Each visitor may have a connection to a member, and some descriptors are for others."""
    limits[0] = soft
    assert most_visitors() == visitors
    assert not is_spare(spare_from - 1)
    assert is_spare(spare_from)


def test_no_limit(limits: list[int]) -> None:
    """Without a limit nothing is spare."""
    limits[0] = ENDLESS
    assert most_visitors() > 1_000_000
    assert not is_spare(1_000_000)


def test_room() -> None:
    """One more is let in while there are fewer than the most, whoever comes and goes."""
    there: list[int] = []
    room = Room(3, lambda: len(there))
    for number in range(3):
        assert room.is_left()
        there.append(number)
    assert not room.is_left()
    there.pop()
    assert room.is_left()
    there.append(3)
    assert not room.is_left()
    there.clear()
    assert [room.is_left() for _ in range(3)] == [True, True, True]


def test_room_is_counted_seldom() -> None:
    """To count is costly: it is done when as many came as there was room for, and near the end."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 90

    room = Room(100, count)
    assert all(room.is_left() for _ in range(20))
    assert counted == 2
