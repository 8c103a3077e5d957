"""What a window's probes say of its edges."""

from __future__ import annotations

import pytest
from bench.load import Counted
from bench.window import Edges, Probe, read_edges

NOTHING = Counted(requests=1, seconds=1.0, connect=0, read=0, write=0, timeout=0, unexpected=0)


def seen(*answers: tuple[float, int]) -> Edges:
    """The edges of the window [100, 102) as probes answered at these instants saw them."""
    probes = [Probe(asked=at - 0.001, answered=at, status=status) for at, status in answers]
    return read_edges(probes, 100.0, 102.0, NOTHING)


def test_edges_are_the_first_apology_and_the_first_answer_after_it() -> None:
    """Lateness is counted from the edge to the moment when a visitor had the answer."""
    edges = seen((99.9, 200), (100.02, 503), (101.9, 503), (102.03, 200), (102.1, 200))
    assert edges.opened == pytest.approx(0.02)
    assert edges.closed == pytest.approx(0.03)
    assert edges.well


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(((99.9, 200), (100.2, 503), (102.0, 200)), id="opened late"),
        pytest.param(((99.9, 503), (102.0, 200)), id="opened early"),
        pytest.param(((100.0, 503), (101.9, 200)), id="closed early"),
        pytest.param(((100.0, 503), (102.2, 200)), id="closed late"),
        pytest.param(((99.9, 200), (103.0, 200)), id="never opened"),
        pytest.param(((99.9, 200), (100.0, 503), (103.0, 503)), id="never closed"),
    ],
)
def test_an_edge_seen_early_or_late_is_not_on_time(
    answers: tuple[tuple[float, int], ...],
) -> None:
    """Neither edge may be seen before its time, nor more than 100 ms after."""
    assert not seen(*answers).on_time


@pytest.mark.parametrize(
    "stray",
    [
        pytest.param((100.5, 200), id="back and forth"),
        pytest.param((100.5, 502), id="another status"),
        pytest.param((100.5, 0), id="no answer"),
        pytest.param((102.5, 503), id="down again"),
    ],
)
def test_an_answer_that_fits_neither_side_is_an_error(stray: tuple[float, int]) -> None:
    """Probes see one change at each edge and no other."""
    answers = [(99.9, 200), (100.0, 503), (101.9, 503), (102.0, 200), (102.9, 200), stray]
    edges = seen(*sorted(answers))
    assert edges.errors > 0
    assert not edges.well
