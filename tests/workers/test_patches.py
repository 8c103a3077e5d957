"""What a worker is told of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.world import window
from tests.workers.lives import view

from sorryd.model import Health
from sorryd.snapshot import GivenPage, SiteView
from sorryd.workers.patches import patched, patches

PAGE = GivenPage(body=b"sorry", media_type="text/html", since=1.0)
OTHER = replace(PAGE, body=b"very sorry")
NIGHT = window("night")


def resting(one: SiteView) -> SiteView:
    first, *others = one.members
    return replace(one, members=(replace(first, health=Health.RESTING), *others))


FULL = view("shop", windows=(NIGHT,), file=PAGE, fetched=PAGE)
STEPS: list[Any] = [
    [view("shop")],
    [view("shop"), view("blog")],
    [view("blog"), view("shop")],
    [view("blog")],
    [],
    [FULL],
    [FULL],
    [resting(FULL)],
    [replace(FULL, windows=())],
    [replace(FULL, file=None)],
    [replace(FULL, fetched=OTHER)],
    [replace(FULL, file=OTHER, windows=(NIGHT, window("day")))],
    [replace(FULL, windows=(window("day"), replace(NIGHT, reason="other"), window("third")))],
    [replace(FULL, windows=(window("third"), NIGHT))],
    [replace(FULL, verifying=True)],
    [replace(FULL, site=replace(FULL.site, drain=77.0))],
    [view("blog")],
    [resting(FULL), view("blog")],
]


def test_worker_knows_what_is_so() -> None:
    """Whatever changes, and in whatever order: the worker has it as it is."""
    control: dict[str, SiteView] = {}
    worker: dict[str, SiteView] = {}
    for views in STEPS:
        told = patches(control, views)
        control = {one.site.name: one for one in views}
        worker = patched(worker, list(control), told)
        assert list(worker.items()) == list(control.items())


DAY = window("day")
OTHER_NIGHT = replace(NIGHT, reason="other")


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([FULL], []),
        ([resting(FULL)], [(None, False)]),
        ([replace(FULL, windows=())], [((), False)]),
        ([replace(FULL, windows=(DAY, NIGHT))], [((DAY, "night"), False)]),
        ([replace(FULL, windows=(OTHER_NIGHT,))], [((OTHER_NIGHT,), False)]),
        ([replace(FULL, file=None)], [(None, True)]),
        ([FULL, view("blog", windows=(DAY,))], [((DAY,), True)]),
        ([], []),
    ],
)
def test_only_what_has_changed(after: Sequence[SiteView], told: Sequence[Any]) -> None:
    """Windows and pages, which may be many and large, are told where they have changed."""
    found = patches({"shop": FULL}, after)
    assert [(one.windows, one.has_pages) for one in found] == told
    for one in found:
        assert one.view.windows == ()
        assert one.has_pages or (one.view.file, one.view.fetched) == (None, None)
