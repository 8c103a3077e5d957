"""Windows as an iCalendar object (RFC 5545), for calendars that subscribe to it. Pure.

The same windows give the same bytes: DTSTAMP is the instant of a window's last change. Importing
this takes its time, for the library does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from icalendar import Calendar, Event

from sorryd.policy.agenda import last_change
from sorryd.window import UNSAFE, Window, WindowKind

_REFRESH: Final = timedelta(hours=1)  # how often a subscriber may look again (RFC 7986 5.7)
_NAMESPACE: Final = UUID("5d1f3c0e-6a4b-5f0e-9d52-0c7e3a2b9f41")
_BREAKS: Final = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # what readers may take for a line's end


def feed(windows: Iterable[Window], site: str | None) -> str:
    """The calendar of `windows`, which all have an end; `site` None is every site."""
    name = "Maintenance" if site is None else f"Maintenance: {site}"
    calendar = Calendar()
    calendar.add("prodid", "-//sorryd//sorryd//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", _REFRESH, {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for window in windows:
        calendar.add_component(_event(window))
    written: bytes = calendar.to_ical()
    return written.decode()


def uid(window: Window) -> str:
    """What names `window` in all calendars, for ever.

    Of its id, which a journal has once, and the instant at which it was made, which another journal
    has hardly: so it goes with the journal, whatever the machine is called.
    """
    return str(uuid5(_NAMESPACE, f"{window.id} {window.created!r}"))


def _event(window: Window) -> Event:
    assert window.end is not None
    changed = _utc(last_change(window))
    event = Event()
    event.add("uid", uid(window))
    event.add("dtstamp", changed)
    event.add("created", _utc(window.created))
    event.add("last-modified", changed)
    event.add("sequence", window.sequence)
    event.add("dtstart", _utc(window.start))
    event.add("dtend", _utc(math.ceil(window.end)))
    event.add("summary", _summary(window))
    event.add("description", "\n".join(_told(window)))
    event.add("categories", ["MAINTENANCE", window.kind.value.upper()])
    event.add("status", "CONFIRMED" if window.cancelled is None else "CANCELLED")
    event.add("transp", "TRANSPARENT")
    return event


def _summary(window: Window) -> str:
    reason = " ".join(_clean(window.reason).split())
    return f"Maintenance: {_where(window)}" + (f" ({reason})" if reason else "")


def _told(window: Window) -> Iterator[str]:
    """The lines of the description. Strangers may read it: no users, and no members' addresses."""
    if window.reason:
        yield _clean(window.reason)
    yield from (f"{one.language}: {_clean(one.text)}" for one in window.reasons)
    kind = "down by hand" if window.kind is WindowKind.MANUAL else "window"
    yield f"{_where(window)}, {kind} {window.id}"
    scope = window.scope
    if scope.paths:
        yield f"Only {', '.join(map(_clean, scope.paths))}"
    if scope.methods:
        changing = "what changes something" if UNSAFE in scope.methods else scope.methods
        yield f"Only {changing if isinstance(changing, str) else ', '.join(changing)}"
    if scope.members:
        yield "Only some of the members"
    if window.until_text:
        yield f"Until {_clean(window.until_text)}"


def _where(window: Window) -> str:
    return "every site" if window.site is None else window.site


def _clean(text: str) -> str:
    """`text` without what TEXT must not hold, or what would break its line (RFC 5545 3.3.11)."""
    lines = text.replace("\r\n", "\n")
    return "".join(
        " " if one in _BREAKS or (ord(one) < 32 and one not in "\n\t") or one == "\x7f" else one
        for one in lines
    )


def _utc(instant: float) -> datetime:
    return datetime.fromtimestamp(math.floor(instant), UTC)
