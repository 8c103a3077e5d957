"""Counts how often a window was changed, and when last (RFC 5545 3.8.7.4). Pure."""

from __future__ import annotations

from msgspec.structs import replace

from sorryd.control.decisions import Decision
from sorryd.journal import Change, WindowPut
from sorryd.window import Window


def revised(decision: Decision, now: float) -> Decision:
    """`decision`, made at the instant `now`, with the windows that it changes counted on."""
    before = {
        change.window.id: change.window
        for change in decision.before
        if isinstance(change, WindowPut)
    }
    return replace(
        decision, changes=tuple(_revised(change, before, now) for change in decision.changes)
    )


def _revised(change: Change, before: dict[str, Window], now: float) -> Change:
    if not isinstance(change, WindowPut) or change.window.id not in before:
        return change
    sequence = before[change.window.id].sequence + 1
    return WindowPut(window=replace(change.window, sequence=sequence, changed=now))
