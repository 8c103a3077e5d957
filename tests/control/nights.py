"""A series of every night, and what tests ask of it."""

from __future__ import annotations

from datetime import datetime

from tests.control.world import HOUR, World

from sorryd.messages import WindowList, WindowSchedule
from sorryd.replies import WindowPhase

DAY = 24 * HOUR


def nightly(**fields: object) -> WindowSchedule:
    """A window every night, planned at noon: the first one is 14 hours off."""
    given = {"id": "nightly", "site": "shop", "from_": "2026-11-22 02:00", "for_": "3h"}
    return WindowSchedule(**{**given, "every": "daily", **fields})  # type: ignore[arg-type]  # rows


def to(world: World, local: str) -> None:
    """Wait until it is that time in Berlin."""
    world.wait(datetime.fromisoformat(f"2026-{local}+01:00").timestamp() - world.wall)


def past(world: World) -> list[tuple[str, WindowPhase]]:
    return [(one.id, one.phase) for one in world.ask(WindowList(past=True)) if one.every is None]


def coming(world: World, number: int = 3) -> list[str]:
    return [one.id.partition("@2026-")[2] for one in world.truth.windows if not one.is_final][
        :number
    ]
