"""``--wait``: looks again and again until what was asked for has come, and tells how it goes.

On a terminal one line is rewritten; elsewhere a line is said where something has changed.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from sorryd.ctl.goals import Goal, Seen
from sorryd.ctl.options import Refused, choices, complain, daemon, put, put_json, senseless
from sorryd.ctl.page import Page, cut
from sorryd.ctl.patience import Patience
from sorryd.ctl.times import span

LOOK_EVERY = 0.2  # seconds
SAY_EVERY = 1.0  # seconds between two lines that are not rewritten
_INTERRUPTED = 128 + signal.SIGINT


def put_and_wait(patience: Patience, result: Any, page: Callable[[], Page], goal: Goal) -> None:
    """Print the `result` of a command, and wait for its `goal`.

    With --json the result is printed once, as it is in the end.
    """
    if not choices().json:
        put(result, page)
    last = result

    def judge(found: Any) -> Seen:
        nonlocal last
        last = goal.picked(found) or last
        return goal.judge(found)

    try:
        _wait(patience, goal._replace(judge=judge))
    finally:
        if choices().json:
            put_json(last)


def _wait(patience: Patience, goal: Goal) -> None:
    """Ask until it is over. Raises Refused where the time is, or things went otherwise."""
    began = time.monotonic()
    deadline = None if patience.seconds is None else began + patience.seconds
    with _interruptible(), daemon() as one, _teller() as tell:
        while True:
            result = one.ask(goal.method, goal.params)
            try:
                seen = goal.judge(result)
            except (KeyError, TypeError, AttributeError):
                raise senseless() from None
            now = time.monotonic()
            tell(seen.words, now - began)
            if seen.reached is not None:
                break
            if deadline is not None and now >= deadline:
                raise Refused(f"not within {patience.timeout}: {seen.words}")
            time.sleep(LOOK_EVERY if deadline is None else min(LOOK_EVERY, deadline - now))
    if not seen.reached:
        raise Refused(f"waited in vain: {seen.words}")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the waiting with a word on what goes on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        complain("no longer waiting; what was asked for goes on: sorryctl status shows it")
        click.get_current_context().exit(_INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, before)


def _teller() -> _Rewriting | _Saying:
    rewrites = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return _Rewriting() if rewrites else _Saying()


class _Rewriting:
    """Tells how it goes in one line of a terminal, which the last words stay in."""

    def __enter__(self) -> Callable[[str, float], None]:
        return self._tell

    def _tell(self, words: str, seconds: float) -> None:
        room = shutil.get_terminal_size().columns - 1
        shown = cut(f"{words} ({span(seconds)})", room)
        click.echo(f"\r\x1b[K{shown}", nl=False, err=True, color=True)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        click.echo("" if kind is None else "\r\x1b[K", nl=kind is None, err=True, color=True)


class _Saying:
    """Tells how it goes in a line each time that it is otherwise, but not too often."""

    def __init__(self) -> None:
        self._said = ("", -SAY_EVERY)
        self._last = ""

    def __enter__(self) -> Callable[[str, float], None]:
        return self._tell

    def _tell(self, words: str, seconds: float) -> None:
        before, at = self._said
        self._last = words
        if words != before and seconds >= at + SAY_EVERY and not choices().json:
            self._said = words, seconds
            complain(words)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._tell(self._last, math.inf)
