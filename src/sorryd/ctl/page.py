"""What is shown: lines and tables of styled text, and how they look when plain."""

from __future__ import annotations

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
    """A table. `right` names the columns that are aligned to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[Span, ...], ...]
    right: frozenset[str] = frozenset()


Page = list[Line | Grid]


def line(*spans: Span | str) -> Line:
    """A line of spans; a str is one without style."""
    return Line(tuple(Span(one) if isinstance(one, str) else one for one in spans))


def clean(text: str) -> str:
    """Somebody else's `text`, unable to move the cursor, change colours or break a line."""
    return "".join(one if one.isprintable() else " " for one in text)


def plain(page: Page) -> str:
    """`page` for a pipe or a file: no colours, aligned columns, each line with its end."""
    rows: list[str] = []
    for part in page:
        if isinstance(part, Line):
            rows.append("".join(clean(span.text) for span in part.spans))
        else:
            rows += _grid(part)
    return "".join(f"{row.rstrip()}\n" for row in rows)


def _grid(grid: Grid) -> list[str]:
    rows = [grid.head, *(tuple(clean(cell.text) for cell in row) for row in grid.rows)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(grid.head))]
    return ["  " + "  ".join(_cells(grid, row, widths)) for row in rows]


def _cells(grid: Grid, row: tuple[str, ...], widths: list[int]) -> list[str]:
    cells = []
    for name, text, width in zip(grid.head, row, widths, strict=True):
        gap = " " * (width - _width(text))
        cells.append(gap + text if name in grid.right else text + gap)
    return cells


def _width(text: str) -> int:
    """Columns that `text` takes; Chinese, Japanese and Korean take two each."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)
