"""RFC 3339 times as people read them, in the terminal's own zone."""

from __future__ import annotations

import re
from datetime import datetime

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_DURATION = re.compile("".join(f"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in _UNITS))


def now() -> datetime:
    """Now, in the local zone."""
    return datetime.now().astimezone()


def local(text: str) -> str:
    """``2026-11-22 05:00 JST``, with seconds only where there are any."""
    moment = datetime.fromisoformat(text).astimezone()
    clock = "%H:%M:%S" if moment.second else "%H:%M"
    return moment.strftime(f"%Y-%m-%d {clock} %Z")


def until(text: str, start: str) -> str:
    """An end as `local` has it, without its date where that is the date of `start`."""
    shown, begins = local(text), local(start)
    return shown.partition(" ")[2] if shown.split()[0] == begins.split()[0] else shown


def relative(text: str, at: datetime) -> str:
    """``in 2h10m`` or ``3m ago``, seen from the moment `at`."""
    seconds = round((datetime.fromisoformat(text) - at).total_seconds())
    return f"in {span(seconds)}" if seconds >= 0 else f"{span(-seconds)} ago"


def span(seconds: float) -> str:
    """A duration as its two largest units: ``1d4h``, ``2h10m``, ``45s``."""
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return "".join(parts[:2])


def seconds_of(text: str) -> float | None:
    """Seconds of a duration such as ``90s`` or ``1h30m``; None where it is none."""
    match = _DURATION.fullmatch(text)
    if match is None or match.lastgroup is None:
        return None
    return sum(float(match[unit] or 0) * size for unit, size in _UNITS.items())
