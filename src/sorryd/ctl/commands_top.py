"""What happens now, as numbers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import click

from sorryd.ctl.commands import command, option, site_argument
from sorryd.ctl.options import (
    NoDaemon,
    choices,
    complain,
    put,
    put_json,
    result_of,
    senseless,
)
from sorryd.ctl.page import Page, line
from sorryd.ctl.times import seconds_of

SHORTEST = 0.1  # seconds between two looks
LONGEST = 3600.0


@command("top", examples=["sorryctl top", "sorryctl top shop --interval 5s", "sorryctl top --once"])
@site_argument
@option("interval", "D", "Seconds to look, between two pictures.", default="1s", show_default=True)
@click.option("--once", is_flag=True, help="Print one picture, and end.")
def top(site: str | None, interval: str, once: bool) -> None:
    """Requests, times, codes and bytes a second, by site and member, until q or ctrl-C.

    Where the output is no terminal, one picture is printed; with --json a line for each.
    """
    looking = Looking(site, _seconds(interval))
    if choices().json and not once:
        looking.lines()
    elif once or not sys.stdout.isatty():
        result = looking.next()
        put(result, lambda: _page(result))
    else:
        looking.live()


def _seconds(text: str) -> float:
    seconds = seconds_of(text)
    if seconds is None or not SHORTEST <= seconds <= LONGEST:
        raise click.BadParameter(
            f"{text}: a duration from 100ms to 1h, such as 2s", param_hint="--interval"
        )
    return seconds


class Looking:
    """Looks at a site, or all, again and again."""

    def __init__(self, site: str | None, interval: float) -> None:
        self._site = site
        self._interval = interval
        self._last, self._at = self._look()

    def _look(self) -> tuple[Any, float]:
        return result_of("numbers.get", {"site": self._site}), time.monotonic()

    def next(self, wait: Callable[[float], object] = time.sleep) -> Any:
        """What happened in an interval from now on. Raises NoDaemon."""
        from sorryd.ctl.rates import flows

        wait(self._interval)
        before, began = self._last, self._at
        self._last, self._at = self._look()
        try:
            return flows(before, self._last, self._at - began)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise senseless() from None

    def lines(self) -> None:
        """A line of JSON for each interval; while no daemon answers there are none."""
        is_away = False
        while True:
            try:
                result = self.next()
            except NoDaemon as why:
                if not is_away:
                    complain(f"{why.message}; waiting for it")
                is_away = True
                continue
            is_away = False
            put_json(result)
            sys.stdout.flush()

    def live(self) -> None:
        """Pictures on a terminal."""
        from sorryd.ctl.screen import screen

        with screen() as shown:
            shown.show([line("sorryctl top: looking ...")])
            while not shown.is_left(self._interval):
                try:
                    page = _page(self.next(lambda _: None))
                except NoDaemon as why:
                    page = [line(f"{why.message}; waiting for it")]
                shown.show(page)


def _page(result: Any) -> Page:
    from sorryd.ctl.top import top_page

    return top_page(result)
