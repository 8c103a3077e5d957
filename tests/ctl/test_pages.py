"""Times, columns and cleaning in what sorryctl shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sorryd.ctl.page import Grid, Page, Span, clean, line, plain
from sorryd.ctl.times import relative, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.4, "0s"),
        (59, "59s"),
        (60, "1m"),
        (61, "1m1s"),
        (3599.6, "1h"),
        (7800, "2h10m"),
        (3601, "1h"),
        (86400, "1d"),
        (100_800, "1d4h"),
        (86_460, "1d"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    """A duration is said by its largest unit and the next one below it."""
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-11-22T05:00:00+09:00", "in 3h"),
        ("2026-11-21T17:00:00+00:00", "in 0s"),
        ("2026-11-21T16:59:00Z", "1m ago"),
    ],
)
def test_relative(moment: str, text: str) -> None:
    """A moment is said as it lies from now, whatever its offset."""
    assert relative(moment, datetime(2026, 11, 21, 17, tzinfo=UTC)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b]0;title\x07b", "a ]0;title b"),
        ("one\ntwo\r", "one two "),
        ("left\u202eright", "left right"),
        ("新しい", "新しい"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    """Nobody's text can move the cursor, break the line or turn the writing round."""
    assert clean(text) == shown


def test_columns() -> None:
    """Columns are aligned, numbers to the right, wide letters counted as two."""
    rows = ((Span("新しい"), Span("7"), Span("x")), (Span("a"), Span("100"), Span("")))
    page: Page = [
        line("b: ", Span("c", "bold")),
        Grid(("NAME", "N", "LAST"), rows, frozenset({"N"})),
    ]
    assert plain(page) == (
        "b: c\n"
        "  NAME      N  LAST\n"
        "  新しい    7  x\n"
        "  a       100\n"
    )  # fmt: skip
