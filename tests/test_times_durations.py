"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.times import LONGEST, TimeFault, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("1h 30m", 5400),
        (" 5s ", 5),
        ("1.5h", 5400),
        ("500ms", 0.5),
        ("1s500ms", 1.5),
        ("90m", 5400),
        ("0", 0),
        ("0s", 0),
        ("007s", 7),
        ("36500d", LONGEST),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """A duration is units from large to small, each with its number."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "(nothing): not a duration"),
        ("30", "30: a duration needs a unit (30s, 30m, 30h)"),
        ("-5m", "-5m: a duration cannot be negative"),
        ("5x", "not a duration (say"),
        ("30m1h", "not a duration"),
        ("1h1h", "not a duration"),
        ("h", "not a duration"),
        ("1H", "not a duration"),
        ("1,5h", "not a duration"),
        ("\u0663s", "not a duration"),
        ("1e3s", "not a duration"),
        ("infs", "not a duration"),
        ("36501d", "longer than a hundred years"),
        ("999999999999999d", "longer than a hundred years"),
        ("9" * 5000 + "s", "not a duration"),
        ("1s\n", None),
        ("a\x1b[2Jb", "a?[2Jb: not a duration"),
    ],
)
def test_no_durations(text: str, why: str | None) -> None:
    """What is no duration is refused with a reason in one short printable line."""
    if why is None:
        assert parse_duration(text) == 1
        return
    with pytest.raises(TimeFault) as caught:
        parse_duration(text)
    assert why in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (5400, "1h30m"),
        (86400, "1d"),
        (90061, "1d1h1m1s"),
        (0.5, "500ms"),
        (59.9996, "1m"),
        (0.0001, "0s"),
        (-90, "-1m30s"),
    ],
)
def test_durations_written(seconds: float, text: str) -> None:
    """A duration is written in the fewest units, to the millisecond."""
    assert format_duration(seconds) == text


@given(st.integers(0, round(LONGEST * 1000)))
def test_durations_there_and_back(milliseconds: int) -> None:
    """What is written is read as the same duration."""
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000
