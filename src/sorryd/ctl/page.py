"""What is shown: lines and tables of styled text, how they are aligned, how they look plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from unicodedata import east_asian_width

from sorryd.ctl.timeline import ASCII, STYLES, UNTOLD, Timeline, runs, scale

Letters = Mapping[str, str]  # by phase: what draws it
_WIDTH = 76  # columns of what is drawn where nobody says how wide
_LEAST = 10


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


class Drawing(NamedTuple):
    """A timeline after a label, its scale below it."""

    label: str
    timeline: Timeline


class Legend(NamedTuple):
    """What the letters of those drawings mean."""

    drawings: tuple[Drawing, ...]


Page = list[Line | Grid | Drawing | Legend]


def line(*spans: Span | str) -> Line:
    """A line of spans; a str is one without style."""
    return Line(tuple(Span(one) if isinstance(one, str) else one for one in spans))


def clean(text: str) -> str:
    """Somebody else's `text`, unable to move the cursor, change colours or break a line."""
    return "".join(one if one.isprintable() else " " for one in text)


def plain(page: Page) -> str:
    """`page` for a pipe or a file: no colours, aligned columns, each line with its end."""
    lines = (one for part in page for one in lines_of(part, _WIDTH, ASCII))
    return "".join(f"{_bare(one).rstrip()}\n" for one in lines)


def lines_of(part: Line | Grid | Drawing | Legend, width: int, letters: Letters) -> list[Line]:
    """The lines of a `part`. Timelines are drawn so `width` that they end there."""
    match part:
        case Line():
            return [part]
        case Grid():
            return aligned(part)
        case Drawing():
            return drawn(part, width, letters)
        case Legend():
            return [_legend(part, width, letters)]


def drawn(drawing: Drawing, width: int, letters: Letters) -> list[Line]:
    """A timeline and its scale."""
    room = _room(drawing, width)
    pieces = (
        Span(letters[phase] * count, STYLES[phase]) for phase, count in runs(drawing.timeline, room)
    )
    blank = " " * len(drawing.label)
    return [
        Line((Span(drawing.label, "dim"), *pieces)),
        line(blank, Span(scale(drawing.timeline, room), "dim")),
    ]


def _room(drawing: Drawing, width: int) -> int:
    return max(width - len(drawing.label), _LEAST)


def _legend(legend: Legend, width: int, letters: Letters) -> Line:
    used = {phase for one in legend.drawings for phase, _ in runs(one.timeline, _room(one, width))}
    known = (
        (Span(letter * 2, STYLES[phase]), Span(f" {phase}   ", "dim"))
        for phase, letter in letters.items()
        if phase in used and phase != UNTOLD
    )
    return line("  ", *(span for pair in known for span in pair))


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
