"""What windows do beside their times, in words: their scope, and how they wait for members."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sorryd.ctl.times import local, span

if TYPE_CHECKING:
    from sorryd.ctl.shapes import Window

Fact = tuple[str, str]  # a label and what is said

_THEN = {"open": "it opens all the same", "stay": "it stays down"}


def facts(window: Window) -> Iterator[Fact]:
    """What is to be said of one window."""
    if only := covered(window):
        yield "only", only
    yield from window["reasons"].items()
    if (patience := window["until_healthy"]) is not None:
        then = _THEN[window["give_up"] or "stay"]
        yield "healthy", f"waits for healthy members, up to {span(patience)}; then {then}"
    if window["verified"] is not None:
        yield "healthy", f"found so {local(window['verified'])}"
    if window["gave_up"] is not None:
        yield "gave up", local(window["gave_up"])


def covered(window: Window) -> str:
    """The part of a site that `window` covers; empty is all of it."""
    scope = window["scope"]
    methods = ["methods that change something" if one == "unsafe" else one
               for one in scope["methods"]]  # fmt: skip
    said = [", ".join(parts) for parts in (methods, scope["paths"], scope["members"]) if parts]
    return " below ".join(said)


def waiting(window: Window) -> str | None:
    """What a site waits for that `window` holds after its end; None: it does not."""
    if window["gave_up"] is not None:
        return f"the members were not healthy in time: sorryctl up, or sorryctl end {window['id']}"
    patience, until = window["until_healthy"], window["until"]
    if window["phase"] != "verifying" or patience is None or until is None:
        return None
    end = datetime.fromisoformat(until) + timedelta(seconds=patience)
    then = _THEN[window["give_up"] or "stay"]
    return f"for healthy members, until {local(end.isoformat())}; then {then}"


def acting(window: Window) -> str:
    """A window that acts on a part of its site."""
    until = local(window["until"]) if window["until"] else "no end set"
    is_late = window["phase"] == "verifying" or window["gave_up"] is not None
    ends = f"waits {waiting(window)}" if is_late else f"until {until}"
    reason = f": {window['reason']}" if window["reason"] else ""
    return f"{window['id']}, {covered(window)}, {ends}{reason}"
