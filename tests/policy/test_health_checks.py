"""The health of a member that is checked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sorryd.model import Check, Health
from sorryd.policy.health import (
    LONGEST_REST,
    Condition,
    adapted,
    answered,
    check_failed,
    check_passed,
    failed,
    released,
    rested,
    starting,
)

CHECK = Check(rise=2, fall=3)
UP = Condition()
DOUBTED = Condition(doubted=True)
DOWN = Condition(health=Health.DOWN, fails=3)
RESTING = Condition(health=Health.RESTING, rest_until=105.0, rest=5.0)
WAITING = Condition(health=Health.RESTING, rest=5.0)  # its rest is over, its checks are not
TRIAL = Condition(health=Health.TRIAL)
BACK = Condition(rest=5.0, back=100.0)


def run(condition: Condition, story: str, check: Check = CHECK) -> str:
    """What becomes of a member, letter by letter of its story: its states' first letters.

    `+` and `-` are checks, `!` a request that fails while another member is up, `?` one while no
    other is, `.` a second, `_` the end of its maintenance.
    """
    now, states = 100.0, ""
    for event in story:
        match event:
            case "+":
                condition = check_passed(condition, check, now)
            case "-":
                condition = check_failed(condition, check)
            case "!" | "?":
                condition = failed(condition, 5.0, now, check, alone=event == "?")
            case "_":
                condition = released(condition, check)
            case _:
                now += 1.0
        condition = rested(condition, now, check)
        states += condition.health.value[0]
    return states


@pytest.mark.parametrize(
    ("story", "states"),
    [
        pytest.param("--+--+--", "uuuuuuuu", id="fails, but never `fall` times in a row"),
        pytest.param("---", "uud", id="`fall` fails"),
        pytest.param("---+-++", "uuddddu", id="back by `rise` passes in a row"),
        pytest.param("---++--", "uudduuu", id="back, it has all of `fall` again"),
        pytest.param("---!....", "uudddddd", id="down, failed requests say nothing new"),
        pytest.param("!++.....", "rrrrrrru", id="passes, but the rest is not over"),
        pytest.param("!.....++", "rrrrrrru", id="the rest is over, but `rise` passes are missing"),
        pytest.param("!.....+-++", "rrrrrrrrru", id="passes in a row"),
        pytest.param("!-+-+-", "rrrrrr", id="fails in a row"),
        pytest.param("!!.....++", "rrrrrrrru", id="failing again does not prolong the rest"),
        pytest.param("!---++", "rrrddu", id="down while it rests: then the checks alone"),
        pytest.param("?...", "uuuu", id="the last one goes on"),
        pytest.param("?-", "ud", id="... but one failed check is enough then"),
        pytest.param("?+--", "uuuu", id="... unless one has passed"),
        pytest.param("-_-", "uud", id="out of maintenance: one failed check is enough"),
        pytest.param("---_+--", "uuduuuu", id="... and up at once, whatever was before"),
        pytest.param("!_", "ru", id="... even a rest"),
    ],
)
def test_stories(story: str, states: str) -> None:
    """The table of the machine, step by step."""
    assert run(UP, story) == states


@pytest.mark.parametrize(
    ("story", "states"),
    [("-", "d"), ("+--", "uuu"), ("-+-", "ddd"), ("-++--", "dduuu"), ("!", "r"), ("?-", "ud")],
)
def test_start(story: str, states: str) -> None:
    """At the start a member is up, and its first check decides."""
    assert run(starting(CHECK), story) == states


def test_one_check_may_be_enough() -> None:
    """With `rise` and `fall` 1, each check decides."""
    assert run(UP, "-+-+", Check(rise=1, fall=1)) == "dudu"


@pytest.mark.parametrize("before", [UP, DOUBTED], ids=["up", "doubted"])
def test_retry_0_leaves_it_to_the_checks(before: Condition) -> None:
    """Who wants no rests gets none; a failed request makes the next check the last word."""
    assert failed(before, 0.0, 100.0, CHECK) == DOUBTED


def test_an_answer_proves_nothing() -> None:
    """No visitor's request brings a member back that is checked."""
    for condition in (DOWN, RESTING, WAITING):
        assert answered(condition) == condition


def test_a_member_that_is_well_stays_the_same() -> None:
    """A check that passes changes nothing, so that nothing is published for it."""
    for before in (UP, BACK):
        assert check_passed(before, CHECK, 200.0) == before


# --- rests that grow ---


def rests(failures: list[float]) -> list[float]:
    """The rests of a member whose checks pass, and whose requests fail so long after it is up."""
    condition, now, found = UP, 0.0, []
    for up_for in failures:
        now += up_for
        condition = failed(condition, 5.0, now, CHECK)
        assert condition.rest_until is not None
        found.append(condition.rest_until - now)
        now = condition.rest_until
        for _ in range(CHECK.rise):
            condition = check_passed(condition, CHECK, now)
        condition = rested(condition, now, CHECK)
        assert condition.health is Health.UP
    return found


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        pytest.param([0.0] * 6, [5, 10, 20, 40, 60, 60], id="at once, again and again"),
        pytest.param([0.0, LONGEST_REST, LONGEST_REST], [5, 10, 20], id="soon"),
        pytest.param([0.0, 1.0, LONGEST_REST + 1, 1.0], [5, 10, 5, 10], id="late: forgiven"),
    ],
)
def test_rests_grow(failures: list[float], expected: list[float]) -> None:
    """A member whose checks pass while its requests fail comes back less and less often."""
    assert rests(failures) == expected


def test_a_long_retry_is_kept() -> None:
    """Rests never become shorter than `retry`."""
    assert failed(BACK, 600.0, 101.0, CHECK).rest == 600.0


def test_down_forgets_the_rests() -> None:
    """Checks that saw it fall and rise saw another member."""
    condition = failed(BACK, 5.0, 101.0, CHECK)
    for _ in range(CHECK.fall):
        condition = check_failed(condition, CHECK)
    for _ in range(CHECK.rise):
        condition = check_passed(condition, CHECK, 102.0)
    assert condition == UP


# --- another configuration ---


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(UP, UP, id="up"),
        pytest.param(TRIAL, Condition(health=Health.RESTING), id="on trial: the checks decide"),
        pytest.param(RESTING, RESTING, id="resting"),
        pytest.param(DOWN, DOWN, id="down"),
        pytest.param(replace(UP, fails=2), replace(UP, fails=2), id="counted"),
    ],
)
def test_another_check(before: Condition, after: Condition) -> None:
    """A new check, or another one, takes what is known of the member as it is."""
    assert adapted(before, Check(rise=5, fall=5)) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(UP, UP, id="up"),
        pytest.param(replace(UP, fails=2, doubted=True), UP, id="doubted"),
        pytest.param(TRIAL, TRIAL, id="on trial"),
        pytest.param(RESTING, Condition(health=Health.RESTING, rest_until=105.0), id="resting"),
        pytest.param(WAITING, TRIAL, id="waiting for checks that do not come"),
        pytest.param(DOWN, TRIAL, id="down"),
    ],
)
def test_no_check_any_more(before: Condition, after: Condition) -> None:
    """Without checks a member that was down is tried, and no other one is left behind."""
    assert adapted(before, None) == after


def test_a_smaller_fall_counts_what_there_was() -> None:
    """Fails that were counted are not forgotten when `fall` changes."""
    assert check_failed(replace(UP, fails=2), Check(fall=2)).health is Health.DOWN


def test_maintenance_without_checks() -> None:
    """Where nothing else is known, what was before still counts."""
    assert released(RESTING, None) == RESTING


# --- whatever happens ---

EVENTS = st.text(alphabet="+-!?._", max_size=60)


@given(EVENTS, st.integers(1, 4), st.integers(1, 4))
def test_back_only_by_checks(story: str, rise: int, fall: int) -> None:
    """Up again only after `rise` passes with no fail between, or out of maintenance."""
    states = run(UP, story, Check(rise=rise, fall=fall))
    for at in range(1, len(story)):
        if states[at] == "u" != states[at - 1] and story[at] != "_":
            since = "".join(event for event in story[: at + 1] if event in "+-")
            assert since.endswith("+" * rise)
    assert "t" not in states


@given(EVENTS, st.integers(1, 4), st.integers(1, 4))
def test_always_a_way_back(story: str, rise: int, fall: int) -> None:
    """Whatever happened, a member that passes its checks for long enough is up again."""
    check = Check(rise=rise, fall=fall)
    seconds = math.ceil(LONGEST_REST)
    assert run(UP, story + "." * seconds + "+" * rise, check)[-1] == "u"
