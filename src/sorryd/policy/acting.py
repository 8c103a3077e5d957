"""Whether one window acts, and until when. Pure: the instant is an argument.

- A *planned* window acts in ``[start, end)``. A *manual* one acts from the moment it is known,
  whatever the clock says: an operator's ``down`` must outlive a clock that steps back.
- One with `until_healthy` holds its sites on from `end`: it is *verifying* them, until they are
  found healthy or its patience is at its end. Then it acts no more, or with `give_up` stay it
  is *stuck*: it acts until it is ended by hand, and once that was written down, whatever the
  clock says.
- What is final (`Window.is_final`) never acts, nor does a window that released the site.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable

from msgspec.structs import replace

from sorryd.window import GiveUp, Recovery, Window, WindowKind


class Stage(enum.Enum):
    """How a window acts."""

    OPEN = "open"  # in its time
    VERIFYING = "verifying"  # its end has come, and the members were not found healthy yet
    STUCK = "stuck"  # they were not in time, and it stays


def opening(window: Window) -> float:
    """The instant from which `window` matters: always, for one that is manual, past or stuck."""
    always = window.kind is WindowKind.MANUAL or window.is_final or window.gave_up is not None
    return -math.inf if always else window.start


def closing(window: Window) -> float:
    """The instant at which the time of `window` is over; infinite where it is open-ended."""
    return math.inf if window.end is None else window.end


def patience(window: Window) -> float:
    """The instant at which `window` waits for healthy members no longer; it is over by then.

    That of `closing` where it does not wait at all.
    """
    return closing(window) + (window.until_healthy or 0.0)


def holding(window: Window) -> float:
    """The instant before which `window` may act, verifying included."""
    stays = window.until_healthy is not None and window.give_up is GiveUp.STAY
    return math.inf if stays else patience(window)


def stage(window: Window, now: float) -> Stage | None:
    """How `window` acts at the instant `now`; None where it does not."""
    if window.is_final or not opening(window) <= now:
        return None
    if window.gave_up is not None:
        return Stage.STUCK
    if now < closing(window):
        return Stage.OPEN
    if window.start >= closing(window) or now >= holding(window):
        return None
    return Stage.VERIFYING if now < patience(window) else Stage.STUCK


def acts(window: Window, now: float) -> bool:
    """Whether `window` holds its sites, or a part of them, at the instant `now`."""
    return stage(window, now) is not None


def concerns(window: Window, site: str) -> bool:
    """Whether `window` is one of `site`, and the site was not taken out of it."""
    return window.site in (None, site) and site not in window.released


def recovery(window: Window, site: str) -> float | None:
    """The instant at which `site` was found healthy, where a window for every site goes on."""
    return next((one.at for one in window.recovered if one.site == site), None)


def is_past(window: Window, site: str) -> bool:
    """Whether `window` is of `site`, though it may be over for that."""
    return concerns(window, site) or recovery(window, site) is not None


def recovered(window: Window, site: str, sites: Iterable[str], now: float) -> Window:
    """`window` once `site` was found healthy at the instant `now`.

    One for every site goes on for those of `sites` that are left in it.
    """
    if window.site is None and any(one != site and concerns(window, one) for one in sites):
        return replace(
            window,
            released=(*window.released, site),
            recovered=(*window.recovered, Recovery(site=site, at=now)),
        )
    return replace(window, verified=now, ended=now)
