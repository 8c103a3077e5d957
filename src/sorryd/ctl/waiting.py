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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sorryd.ctl.client import Param
from sorryd.ctl.goals import Seen
from sorryd.ctl.options import (
    Command,
    Refused,
    choices,
    complain,
    daemon,
    put,
    put_json,
    senseless,
)
from sorryd.ctl.times import seconds_of, span

if TYPE_CHECKING:
    from sorryd.ctl.page import Page

LOOK_EVERY = 0.2  # seconds
SAY_EVERY = 1.0  # seconds between two lines that are not rewritten
_INTERRUPTED = 128 + signal.SIGINT


class Patience:
    """What of ``--wait`` and ``--timeout`` was given."""

    def __init__(self, wait: bool, timeout: str | None) -> None:
        if timeout is not None and not wait:
            raise click.UsageError("--timeout is for --wait.")
        self.wait = wait
        self.timeout = timeout
        self.seconds = None if timeout is None else _seconds(timeout)


def wait_options(what: str) -> Callable[[Command], Command]:
    """--wait, which waits until `what`, and --timeout."""

    def decorate(command: Command) -> Command:
        text = "Wait no longer than this (exit 1); what was done stays done."
        command = click.option("--timeout", metavar="D", help=text)(command)
        return click.option("--wait", is_flag=True, help=f"Wait until {what}.")(command)

    return decorate


class Goal(NamedTuple):
    """What is asked again and again, how the answer is judged, and what of it to show."""

    method: str
    params: Mapping[str, Param]
    judge: Callable[[Any], Seen]
    picked: Callable[[Any], object]


def put_in_time(patience: Patience, result: Any, page: Callable[[], Page], goal: Goal) -> None:
    """Print the `result` of a command, and wait for what was asked for, if wanted.

    With --json the result is printed once, as it is in the end. Raises as `result_of` does.
    """
    if not (patience.wait and choices().json):
        put(result, page)
    if not patience.wait:
        return
    last = result

    def judge(found: Any) -> Seen:
        nonlocal last
        last = goal.picked(found)
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


def _seconds(timeout: str) -> float:
    seconds = seconds_of(timeout)
    if seconds is None:
        raise click.UsageError(f"--timeout: {timeout} is no duration (say 90s, 15m, 2h or 1h30m).")
    return seconds


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
        from sorryd.ctl.page import cut

        room = shutil.get_terminal_size().columns - 1
        shown = cut(f"{words} ({span(seconds)})", room)
        click.echo(f"\r\x1b[K{shown}", nl=False, err=True, color=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._tell(self._last, math.inf)
