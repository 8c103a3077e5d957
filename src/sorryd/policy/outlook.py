"""What is ahead of a site: its phases by the windows that there are. Pure.

It is what `standing` says of each instant to come, so that it cannot disagree with what sorryd
will do. Members are taken to be found healthy as late as a window waits for them, and no later.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec.structs import replace

from sorryd.model import Phase, Site, Value
from sorryd.policy.acting import opening
from sorryd.policy.windows import Standing, standing
from sorryd.window import GiveUp, Window

MOST: Final = 500
"""Changes of standing that are looked at."""

_OPENED: Final = 10
"""Windows that are looked at for each of these, on an average: where very many are open at once
the outlook is shorter, and takes no longer."""


class Stretch(Value, frozen=True, kw_only=True):
    """A time in one phase, ``[start, end)``. `window` is the id of the one that governs.

    `partial`: windows act on a part of the site meanwhile.
    """

    phase: Phase
    start: float
    end: float
    window: str | None = None
    partial: bool = False


def outlook(
    windows: Sequence[Window],
    site: Site,
    now: float,
    end: float,
    file: float | None = None,
    most: int = MOST,
) -> tuple[Stretch, ...]:
    """The stretches from `now` until `end`, without gaps. Arguments as those of `standing`.

    Of more than `most` changes the first ones are told, and fewer where very many windows are
    open at once.
    """
    opened = bisect_right(windows, now, key=opening)
    count = min(bisect_left(windows, end, key=opening), opened + most)  # each is a change or more
    if count < len(windows):
        end = min(end, opening(windows[count]))
    hoped = tuple(map(_waiting_no_longer, islice(windows, count)))
    found: list[Stretch] = []
    for stretch in _stretches(hoped, site, now, end, file, most):
        if found and _alike(found[-1], stretch):
            found[-1] = replace(found[-1], end=stretch.end)
        else:
            found.append(stretch)
    return tuple(found)


def _stretches(
    windows: Sequence[Window], site: Site, now: float, end: float, file: float | None, most: int
) -> Iterator[Stretch]:
    at, left = now, most * _OPENED
    for _ in range(most):
        if at >= end or left < 0:
            return
        left -= bisect_right(windows, at, key=opening)
        held = standing(windows, site, at, file)
        until = min(held.holds_until, end)
        yield Stretch(
            phase=held.phase, start=at, end=until, window=held.window, partial=_is_partial(held)
        )
        if held.phase.serves and not _is_partial(held):
            windows = windows[bisect_right(windows, at, key=opening) :]  # those are all over
        at = until


def _is_partial(held: Standing) -> bool:
    return bool(held.partial or held.withdrawn)


def _alike(one: Stretch, other: Stretch) -> bool:
    return replace(one, end=other.end, start=other.start) == other


def _waiting_no_longer(window: Window) -> Window:
    """`window`, which does not stay where its members are not found healthy."""
    if window.until_healthy is None or window.gave_up is not None:
        return window
    return replace(window, give_up=GiveUp.OPEN)
