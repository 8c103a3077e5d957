"""Pages on a terminal, by rich. Imported for a terminal only: rich takes its time."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sorryd.ctl.page import Grid, Line, Page, Span, clean


def show(page: Page) -> None:
    """Write `page` to stdout."""
    console = Console(highlight=False)
    for part in page:
        if isinstance(part, Line):
            console.print(_text(part.spans), soft_wrap=True)
        else:
            console.print(_table(part))


def _text(spans: tuple[Span, ...]) -> Text:
    # Text takes no markup: a reason with [brackets] stays as it is.
    return Text.assemble(*((clean(span.text), span.style) for span in spans))


def _table(grid: Grid) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 1))
    for name in grid.head:
        table.add_column(name, justify="right" if name in grid.right else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*(_text((cell,)) for cell in row))
    return table
