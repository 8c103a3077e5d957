"""What the supervisor shows of all sites, in a line."""

from __future__ import annotations

import pytest
from tests.policy.windows import planned

from sorryd.model import Phase
from sorryd.policy.status_line import SiteState, status_line
from sorryd.policy.windows import Standing

DAY = 86400.0
NOON = 20000 * DAY + 12 * 3600.0  # 2024-10-04 in UTC


def state(
    name: str,
    phase: Phase = Phase.LIVE,
    until: float | None = None,
    *,
    zone: str = "UTC",
    start: float | None = None,
    deserted: bool = False,
) -> SiteState:
    coming = None if start is None else planned("w", start, None)
    standing = Standing(phase=phase, until=until, next=coming)
    return SiteState(name, zone, standing, deserted)


LIVE = [state(name) for name in "abcdef"]


@pytest.mark.parametrize(
    ("sites", "line"),
    [
        ([state("shop")], "shop live"),
        ([state("shop", start=NOON + 7200)], "shop live"),
        ([state("shop", Phase.ANNOUNCED, start=NOON + 7200)], "shop live until 14:00 UTC"),
        ([state("shop", Phase.DOWN, NOON + 7200, zone="Asia/Tokyo")], "shop down until 23:00 JST"),
        ([state("shop", Phase.DOWN, NOON + 3601)], "shop down until 13:01 UTC"),
        (
            [state("shop", Phase.DRAINING, NOON + DAY, zone="America/Sao_Paulo")],
            "shop draining until 2024-10-05 09:00 UTC-03:00",
        ),
        ([state("shop", Phase.DOWN)], "shop down"),
        ([state("shop", Phase.VERIFYING)], "shop verifying"),
        ([state("shop", Phase.DOWN, 1e15)], "shop down"),
        ([state("shop", Phase.DOWN, NOON, zone="No/Where")], "shop down"),
        ([state("shop", deserted=True)], "shop live with no member up"),
        ([state("shop", Phase.DOWN, deserted=True)], "shop down"),
        ([LIVE[0], state("wiki", Phase.DOWN, NOON + 60)],
         "2 sites: a live, wiki down until 12:01 UTC"),
        (LIVE[:4], "4 sites: a live, b live, c live, d live"),
        (LIVE[:5], "5 sites, 5 live"),
        ([*LIVE, state("x", Phase.DOWN), state("y", deserted=True)],
         "8 sites, 6 live: x down, y live with no member up"),
        ([*LIVE, *(state(f"x{n}", Phase.DOWN) for n in range(6))],
         "12 sites, 6 live: x0 down, x1 down, x2 down, x3 down, and 2 more"),
    ],
)  # fmt: skip
def test_status_line(sites: list[SiteState], line: str) -> None:
    """Few sites one by one; of many, those that visitors can't use, and how many there are."""
    assert status_line(sites, NOON) == line


def test_many_sites_take_no_room() -> None:
    """Ten thousand sites that are down are one line all the same."""
    line = status_line([state("x" * 60, Phase.DOWN, NOON)] * 10_000, NOON)
    assert len(line) < 500
