"""What will happen, as pages: each window in its own zone and in UTC, and what follows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sorryd.ctl.page import Grid, Line, Page, Span, line
from sorryd.ctl.times import span

if TYPE_CHECKING:
    from sorryd.ctl.shapes import Plan, Planned, SitePlan


def plan_page(plan: Plan) -> Page:
    """All windows as a table, then what is peculiar to them, and what visitors will read."""
    windows = plan["windows"]
    if not windows:
        return [line(f"nothing is planned until {_clock(plan['until'])}")]
    page: Page = [_grid(windows), *_notes(windows), *_reads(windows)]
    if plan["more"]:
        page.append(line(f"and more: these are the first {len(windows)}; ask for fewer days"))
    return page


def dry_page(windows: list[Planned]) -> Page:
    """What follows of a window that is not planned yet, or of the first ones of a series."""
    return [line(), _grid(windows), *_notes(windows), *_reads(windows)]


def _grid(windows: list[Planned]) -> Grid:
    rows = tuple(
        (
            Span(_clock(one["from"])),
            Span(_until(one["until"], one["from"])),
            Span(f"{_utc(one['from_utc'])} - {_utc(one['until_utc'], one['from_utc'])}", "dim"),
            Span("open" if one["lasts"] is None else span(one["lasts"])),
            Span(one["id"], "bold"),
            Span("every site" if one["site"] is None else one["site"]),
        )
        for one in windows
    )
    return Grid(("FROM", "UNTIL", "UTC", "LASTS", "WINDOW", "SITE"), rows)


def _notes(windows: Iterable[Planned]) -> Iterator[Line]:
    lines = [
        _about(f"{one['id']}: ", "yellow", text) for one in windows for text in one["warnings"]
    ]
    yield from _section("take note", lines)


def _reads(windows: Iterable[Planned]) -> Iterator[Line]:
    lines = [
        _about(f"{one['id']}, {of['site']}: ", "dim", _read(of))
        for one in windows
        for of in one["sites"]
        if of["retry_after"] is not None
    ]
    yield from _section("what visitors will read", lines)


def _section(title: str, lines: list[Line]) -> list[Line]:
    return [line(), line(Span(title, "bold")), *lines] if lines else []


def _about(whose: str, style: str, text: str) -> Line:
    return line("  ", Span(whose, style), text)


def _read(of: SitePlan) -> str:
    end = f"until {of['spoken']}" if of["spoken"] else "no end is promised"
    reason = f"{of['reason']}; " if of["reason"] else ""
    return f"{reason}{end}; Retry-After: {of['retry_after']}"


def _clock(text: str) -> str:
    """``2026-11-22 02:00 +09:00``: in the zone that it is said in."""
    at = datetime.fromisoformat(text)
    offset = at.strftime("%z")
    return f"{at:%Y-%m-%d} {_time(at)} {offset[:3]}:{offset[3:5]}"


def _until(text: str | None, start: str) -> str:
    """An end; its date where that is another one, its offset where the clock has changed."""
    if text is None:
        return "no end set"
    end, begin = datetime.fromisoformat(text), datetime.fromisoformat(start)
    if end.utcoffset() != begin.utcoffset():
        return _clock(text)
    return _time(end) if end.date() == begin.date() else f"{end:%Y-%m-%d} {_time(end)}"


def _utc(text: str | None, start: str | None = None) -> str:
    if text is None:
        return ""
    at = datetime.fromisoformat(text).astimezone(UTC)
    if start is not None and datetime.fromisoformat(start).date() == at.date():
        return _time(at)
    return f"{at:%m-%d} {_time(at)}"


def _time(at: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
