"""Which worker may try a member."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy.trials import LONGEST, PATIENCE, Leave, begun, granted, lost, over, passed


def test_unused_it_goes_round() -> None:
    """A leave that nobody uses passes from worker to worker, ever more slowly."""
    leave, now = granted(100.0), 100.0
    seen = [(leave.worker, leave.patience)]
    for _ in range(7):
        assert passed(leave, now + leave.patience - 0.01, 3) is leave
        now += leave.patience
        leave = passed(leave, now, 3)
        seen.append((leave.worker, leave.patience))
    slow, slower = 2 * PATIENCE, 4 * PATIENCE
    assert seen == [
        *((1, PATIENCE), (2, PATIENCE), (3, PATIENCE)),
        *((1, slow), (2, slow), (3, slow)),
        *((1, slower), (2, slower)),
    ]


def test_patience_has_an_end() -> None:
    """Where nobody comes for long, a leave still passes on every few seconds."""
    leave, now = granted(0.0), 0.0
    for _ in range(100):
        now += leave.patience
        leave = passed(leave, now, 2)
    assert leave.patience == LONGEST


def test_in_flight() -> None:
    """While a trial is in flight the leave stays, however long; after it, for its patience."""
    leave = begun(granted(100.0), 1)
    assert passed(leave, 1e9, 2) is leave
    leave = over(leave, 1, 500.0)
    assert leave == Leave(worker=1, until=500.0 + PATIENCE)
    assert passed(leave, 500.0 + PATIENCE, 2).worker == 2


def test_begun_while_it_passed_on() -> None:
    """A trial that began before its worker knew better has the leave, if no other began."""
    late = begun(passed(granted(100.0), 100.0 + PATIENCE, 2), 1)
    assert (late.worker, late.until) == (1, None)
    assert begun(late, 2) is late
    assert over(late, 2, 101.0) is late


@pytest.mark.parametrize(("dead", "holder"), [(1, 2), (2, 1)])
@pytest.mark.parametrize("is_trying", [True, False])
def test_a_worker_dies(dead: int, holder: int, is_trying: bool) -> None:
    """A dead worker's leave is the next one's at once; others keep theirs."""
    leave = begun(granted(100.0), 1) if is_trying else granted(100.0)
    after = lost(leave, dead, 101.0, 2)
    assert after.worker == holder
    assert (after.until is None) is (is_trying and dead != 1)


DEEDS = st.lists(
    st.tuples(st.sampled_from(["begin", "end", "wait", "die"]), st.integers(1, 3)), max_size=40
)


@given(DEEDS)
def test_one_trial_at_a_time(deeds: list[tuple[str, int]]) -> None:
    """Whoever asks before it begins, there is never more than one trial in flight."""
    leave, now, trying = granted(0.0), 0.0, set[int]()
    for deed, worker in deeds:
        if deed == "begin" and leave.worker == worker and worker not in trying:
            trying.add(worker)
            leave = begun(leave, worker)
        elif deed == "end" and worker in trying:
            trying.discard(worker)
            leave = over(leave, worker, now)
        elif deed == "die":
            trying.discard(worker)
            leave = lost(leave, worker, now, 3)
        now += 0.2 if deed == "wait" else 0.01
        leave = passed(leave, now, 3)
        assert len(trying) <= 1
        assert trying <= {leave.worker}
