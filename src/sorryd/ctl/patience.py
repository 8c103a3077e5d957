"""``--wait`` and ``--timeout`` as options; what waits is imported where somebody does."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from sorryd.ctl.options import Command, put

if TYPE_CHECKING:
    from sorryd.ctl.goals import Goal
    from sorryd.ctl.page import Page


class Patience:
    """What of ``--wait`` and ``--timeout`` was given. `seconds` None is for ever."""

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


def put_in_time(
    patience: Patience, result: Any, page: Callable[[], Page], goal: Callable[[], Goal]
) -> None:
    """Print the `result` of a command, and wait for its `goal`, if wanted.

    Raises Refused where it was waited for in vain, and what `result_of` does.
    """
    if not patience.wait:
        put(result, page)
        return
    from sorryd.ctl.waiting import put_and_wait

    put_and_wait(patience, result, page, goal())


def goals() -> ModuleType:
    """What may be waited for."""
    from sorryd.ctl import goals

    return goals


def _seconds(timeout: str) -> float:
    from sorryd.ctl.times import seconds_of

    seconds = seconds_of(timeout)
    if seconds is None:
        raise click.UsageError(f"--timeout: {timeout} is no duration (say 90s, 15m, 2h or 1h30m).")
    return seconds
