"""What happened, as pages: the history as a table, events as a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorryd.ctl.page import Grid, Line, Page, Span, line
from sorryd.ctl.times import local

if TYPE_CHECKING:
    from sorryd.ctl.shapes import Entry

_STYLES = {"hook.failed": "bold red", "down.reminder": "bold yellow", "window.gave_up": "bold red"}


def history_page(entries: list[Entry]) -> Page:
    """What was done, and what the daemon observed, as a table, oldest first."""
    if not entries:
        return [line("no history")]
    rows = tuple(
        (Span(local(entry["at"])), Span(_who(entry)), _what(entry), Span(_on(entry)), _why(entry))
        for entry in entries
    )
    return [Grid(("WHEN", "WHO", "WHAT", "ON", "WHY"), rows, prose=True)]


def event_line(entry: Entry) -> Line:
    """An event: when, of what, what, and by whom where it was somebody."""
    who = f" by {_who(entry)}" if entry["author"] else ""
    why = _why(entry).text
    told = f": {why}" if why else ""
    return line(local(entry["at"]), "  ", _on(entry), "  ", _what(entry), f"{who}{told}")


def _who(entry: Entry) -> str:
    return entry["author"]["name"] if entry["author"] else "sorryd"


def _what(entry: Entry) -> Span:
    return Span(entry["action"], _STYLES.get(entry["action"], "bold"))


def _on(entry: Entry) -> str:
    """What was changed."""
    if entry["action"].startswith("daemon."):
        return "sorryd"
    site = "every site" if entry["site"] is None else entry["site"]
    return " ".join(filter(None, (site, entry["window"], entry["member"])))


def _why(entry: Entry) -> Span:
    """What became of it, and the reason unless that tells it."""
    detail, reason = entry["detail"], entry["reason"]
    if reason and repr(reason) in detail:
        return Span(detail)
    return Span(": ".join(filter(None, (detail, reason))))
