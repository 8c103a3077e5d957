"""What is ahead of a site, by the windows that there are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.windows import planned, site

from sorryd.model import Phase
from sorryd.policy.acting import acts
from sorryd.policy.outlook import outlook
from sorryd.policy.windows import arrange, standing
from sorryd.window import Scope, Window, WindowKind

SHOP = site("shop", drain=10.0, announce=50.0)
LIVE, ANNOUNCED, DRAINING = Phase.LIVE, Phase.ANNOUNCED, Phase.DRAINING
DOWN, VERIFYING = Phase.DOWN, Phase.VERIFYING


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], [(LIVE, 0, 1000)]),
        ([planned("a", 100, 200)],
         [(LIVE, 0, 50), (ANNOUNCED, 50, 100), (DRAINING, 100, 110), (DOWN, 110, 200),
          (LIVE, 200, 1000)]),
        ([planned("a", 100, 200), planned("b", 200, 300)],
         [(LIVE, 0, 50), (ANNOUNCED, 50, 100), (DRAINING, 100, 110), (DOWN, 110, 200),
          (DOWN, 200, 300), (LIVE, 300, 1000)]),
        ([planned("m", 0, None, kind=WindowKind.MANUAL, drain=0.0)], [(DOWN, 0, 1000)]),
        ([planned("a", 0, 100, drain=0.0, until_healthy=30.0)],
         [(DOWN, 0, 100), (VERIFYING, 100, 130), (LIVE, 130, 1000)]),
        ([planned("a", 2000, 3000)], [(LIVE, 0, 1000)]),
        ([planned("a", 0, 100, site="blog")], [(LIVE, 0, 1000)]),
    ],
    ids=["nothing", "a window", "two that touch", "by hand", "verified", "later", "not ours"],
)  # fmt: skip
def test_stretches(windows: list[Window], expected: list[tuple[Phase, float, float]]) -> None:
    """The phases to come follow each other without gaps, until the end that was asked for."""
    found = outlook(arrange(windows), SHOP, 0.0, 1000.0)
    assert [(one.phase, one.start, one.end) for one in found] == expected


def test_part_of_a_site() -> None:
    """A window on paths leaves the site live, and is told of."""
    window = planned("a", 100, 200, scope=Scope(paths=("/shop",)))
    found = outlook((window,), site("shop", announce=0.0), 0.0, 1000.0)
    assert [(one.phase, one.partial) for one in found] == [
        (LIVE, False), (LIVE, True), (LIVE, False)
    ]  # fmt: skip


def test_very_many_open_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where thousands of windows are open at once it ends sooner, with what is told still so."""
    windows = arrange(planned(f"w{n}", n / 100, 2000.0 + n) for n in range(2000))
    asked: list[Window] = []

    def count(window: Window, now: float) -> bool:
        asked.append(window)
        return acts(window, now)

    monkeypatch.setattr("sorryd.policy.windows.acts", count)
    found = outlook(windows, SHOP, 100.0, 9000.0)
    assert len(asked) < 20_000
    assert {one.phase for one in found} == {DOWN}
    assert 100.0 < found[-1].end < 9000.0


def test_of_many_to_come_the_first_ones() -> None:
    """Of more changes than it looks at it has the first ones, without a gap, as they will be."""
    windows = arrange(planned(f"w{n}", n // 3 * 100.0, n // 3 * 100.0 + 50) for n in range(3000))
    found = outlook(windows, SHOP, 0.0, 1e6, most=40)
    assert len(found) > 20
    for one, other in pairwise(found):
        assert one.end == other.start
    for one in found:
        assert one.phase is standing(windows, SHOP, one.start).phase
        assert one.phase is standing(windows, SHOP, one.end - 0.5).phase


spans = st.tuples(st.integers(0, 40), st.integers(1, 40))
drawn = st.lists(spans, max_size=6).map(
    lambda pairs: arrange(
        planned(f"w{index}", start * 10.0, (start + lasts) * 10.0)
        for index, (start, lasts) in enumerate(pairs)
    )
)


@given(drawn, st.integers(0, 999))
def test_it_is_what_will_be(windows: tuple[Window, ...], at: int) -> None:
    """At each instant the outlook has the phase that the site will then have."""
    (found,) = (one for one in outlook(windows, SHOP, 0.0, 1000.0) if one.start <= at < one.end)
    assert found.phase is standing(windows, SHOP, float(at)).phase
