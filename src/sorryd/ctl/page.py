"""What is shown: lines and tables of styled text, how they are aligned, how they look plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from unicodedata import east_asian_width


class Span(NamedTuple):
    """Text with a style by rich's names; no style for most of it."""

    text: str
    style: str = ""


class Line(NamedTuple):
    """Spans side by side, without gaps."""

    spans: tuple[Span, ...]


class Grid(NamedTuple):
    """A table. `right` names the columns that are aligned to the right.

    `prose`: the last column is running text, which may stand below its row on a narrow terminal.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Span, ...], ...]
    right: frozenset[str] = frozenset()
    prose: bool = False


Page = list[Line | Grid]


def line(*spans: Span | str) -> Line:
    """A line of spans; a str is one without style."""
    return Line(tuple(Span(one) if isinstance(one, str) else one for one in spans))


def clean(text: str) -> str:
    """Somebody else's `text`, unable to move the cursor, change colours or break a line."""
    return "".join(one if one.isprintable() else " " for one in text)


def plain(page: Page) -> str:
    """`page` for a pipe or a file: no colours, aligned columns, each line with its end."""
    lines = (one for part in page for one in ([part] if isinstance(part, Line) else aligned(part)))
    return "".join(f"{_bare(one).rstrip()}\n" for one in lines)


def aligned(grid: Grid) -> list[Line]:
    """The lines of a table, its head first; a row has one."""
    head = tuple(Span(name, "dim") for name in grid.head)
    rows = [head, *(tuple(Span(clean(text), style) for text, style in row) for row in grid.rows)]
    widths = [max(_width(row[column].text) for row in rows) for column in range(len(head))]
    return [Line(tuple(_cells(grid, row, widths))) for row in rows]


def columns(line: Line) -> int:
    """Columns that `line` takes, without the blanks at its end."""
    return _width(_bare(line).rstrip())


def cut(text: str, room: int) -> str:
    """The beginning of `text`, cleaned, that takes at most `room` columns."""
    shown, taken = "", 0
    for one in clean(text):
        taken += _width(one)
        if taken > room:
            break
        shown += one
    return shown


def _cells(grid: Grid, row: tuple[Span, ...], widths: list[int]) -> Iterator[Span]:
    for name, cell, width in zip(grid.head, row, widths, strict=True):
        gap = Span(" " * (width - _width(cell.text)))
        yield Span("  ")
        yield from (gap, cell) if name in grid.right else (cell, gap)


def _bare(line: Line) -> str:
    return "".join(clean(span.text) for span in line.spans)


def _width(text: str) -> int:
    """Columns that `text` takes; Chinese, Japanese and Korean take two each."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)
