"""Windows that come and go stay in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.control.world import window

from sorryd.control.arranged import Arranged
from sorryd.policy.acting import is_past
from sorryd.policy.windows import arrange
from sorryd.window import Window, WindowKind

SITES = ("shop", "blog", None)


@st.composite
def any_window(draw: st.DrawFn) -> Window:
    """A window of one of few ids, so that many are put in the place of another."""
    return window(
        f"w{draw(st.integers(0, 5))}",
        float(draw(st.integers(0, 3))),
        float(draw(st.integers(4, 8))),
        site=draw(st.sampled_from(SITES)),
        kind=draw(st.sampled_from(WindowKind)),
        ended=draw(st.sampled_from((None, 5.0))),
        released=draw(st.sampled_from(((), ("shop",)))),
    )


DEEDS = st.lists(st.one_of(any_window(), st.integers(0, 5)), max_size=30)


@given(st.lists(any_window(), max_size=4), DEEDS)
def test_they_are_arranged(first: list[Window], deeds: list[Window | int]) -> None:
    """After each change the windows, and those of each site, are those that sorting all gives."""
    arranged, known = Arranged(first), {one.id: one for one in first}
    for deed in deeds:
        if isinstance(deed, Window):
            arranged.put(deed)
            known[deed.id] = deed
        else:
            arranged.drop(f"w{deed}")
            known.pop(f"w{deed}", None)
        expected = arrange(known.values())
        assert arranged.all == expected
        assert len(arranged) == len(expected)
        for site in ("shop", "blog", "wiki"):
            assert arranged.of(site) == tuple(one for one in expected if is_past(one, site))
