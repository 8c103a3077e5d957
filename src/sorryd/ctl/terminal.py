"""Pages on a terminal, by rich. Imported for a terminal only: rich takes its time."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sorryd.ctl.page import Grid, Line, Page, Span, aligned, clean, columns

_DEEP = 6  # columns before running text that stands below its row


def show(page: Page) -> None:
    """Write `page` to stdout."""
    console = Console(highlight=False)
    for part in page:
        if isinstance(part, Line):
            _put(console, part)
        elif part.prose and max(map(columns, aligned(part))) > console.width:
            _put_low(console, part)
        else:
            for line in aligned(part):
                _put(console, line)


def _put(console: Console, line: Line) -> None:
    text = _text(line.spans)
    text.rstrip()  # blanks up to the terminal's edge would take a line of their own
    console.print(text, soft_wrap=True)


def _put_low(console: Console, grid: Grid) -> None:
    """A table that is too wide, with its running text below each row."""
    narrow = grid._replace(head=grid.head[:-1], rows=tuple(row[:-1] for row in grid.rows))
    head, *lines = aligned(narrow)
    _put(console, head)
    for line, row in zip(lines, grid.rows, strict=True):
        _put(console, line)
        if row[-1].text:
            console.print(Padding(_text(row[-1:]), (0, 0, 0, _DEEP), expand=False))


def _text(spans: tuple[Span, ...]) -> Text:
    # Text takes no markup: a reason with [brackets] stays as it is.
    return Text.assemble(*((clean(span.text), span.style) for span in spans))
