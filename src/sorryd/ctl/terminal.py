"""Pages on a terminal, by rich. Imported for a terminal only: rich takes its time."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sorryd.ctl.page import Grid, Line, Page, Span, aligned, clean, columns, lines_of
from sorryd.ctl.timeline import ASCII, LETTERS

_INDENT = 2  # columns before what goes on with a line
_WIDEST = 112  # columns that a timeline is drawn to
_DEEP = 6  # columns before running text that stands below its row


def show(page: Page) -> None:
    """Write `page` to stdout."""
    console = Console(highlight=False)
    letters = LETTERS if console.encoding.replace("-", "") == "utf8" else ASCII
    for part in page:
        if isinstance(part, Grid):
            _put_grid(console, part)
            continue
        for line in lines_of(part, min(console.width, _WIDEST) - 2, letters):
            if isinstance(part, Line) and columns(line) > console.width:
                _put_hanging(console, line)
            else:
                _put(console, line)


def _put(console: Console, line: Line) -> None:
    text = _text(line.spans)
    text.rstrip()  # blanks up to the terminal's edge would take a line of their own
    console.print(text, soft_wrap=True)


def _put_hanging(console: Console, line: Line) -> None:
    """A line that is too long, broken between words; what follows stands below its text."""
    label, *rest = line.spans
    if not label.text.startswith("  "):
        label, rest = Span(""), list(line.spans)
    deep = len(label.text) or _INDENT
    for number, piece in enumerate(_text(rest).wrap(console, console.width - deep)):
        piece.rstrip()
        before = Text(" " * deep) if number else _text([label])
        console.print(Text.assemble(before, piece), soft_wrap=True)


def _put_grid(console: Console, grid: Grid) -> None:
    """A table; the last columns stand below each row, where it is too wide for them."""
    kept = len(grid.head)
    while kept > 1 and max(map(columns, aligned(_first(grid, kept)))) > console.width:
        kept -= 1
    head, *lines = aligned(_first(grid, kept))
    _put(console, head)
    for line, row in zip(lines, grid.rows, strict=True):
        _put(console, line)
        below = _text(_named(grid, row, kept))
        if below.plain:
            console.print(Padding(below, (0, 0, 0, _DEEP), expand=False))


def _first(grid: Grid, kept: int) -> Grid:
    rows = tuple(row[:kept] for row in grid.rows)
    return grid._replace(head=grid.head[:kept], rows=rows)


def _named(grid: Grid, row: Sequence[Span], kept: int) -> list[Span]:
    """The cells from the column `kept` on, each with its name, but for running text."""
    found: list[Span] = []
    for at in range(kept, len(row)):
        if row[at].text:
            is_prose = grid.prose and at == len(row) - 1
            name = "" if is_prose else f"{grid.head[at].lower()} "
            found += [Span("  " if found else ""), Span(name, "dim"), row[at]]
    return found


def _text(spans: Sequence[Span]) -> Text:
    # Text takes no markup: a reason with [brackets] stays as it is.
    return Text.assemble(*((clean(span.text), span.style) for span in spans))
