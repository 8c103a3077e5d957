"""Which member a site asks: standby, trials, and what the operator says."""

from __future__ import annotations

import pytest
from tests.edge.messages import GET, OK, asked, passed, status_of
from tests.edge.scene import Stage

from sorryd.model import Health, MemberState
from sorryd.reports import MemberAnswered, MemberTried

UP, RESTING, TRIAL = Health.UP, Health.RESTING, Health.TRIAL


def test_standby(stage: Stage) -> None:
    """A standby serves only while nobody else can, and is left at once."""
    scene = stage(members=1, standby=1)
    visitor = scene.visitor()
    visitor.says(GET)
    first = scene.member("a")
    first.says(OK)
    first.gets()
    scene.publish(a=RESTING)
    visitor.says(GET)
    second = scene.member("b")
    second.says(OK)
    scene.publish(a=UP)
    visitor.says(GET)
    assert first.gets() == asked(GET)
    first.says(OK)
    assert visitor.gets() == 3 * passed(OK)
    assert scene.is_asking_nobody


def test_standby_for_one_request(stage: Stage) -> None:
    """A request whose member fails goes on to the standby."""
    scene = stage(members=1, standby=1)
    scene.refusing["a"] = "connection refused"
    visitor = scene.visitor()
    visitor.says(GET)
    scene.member("b").says(OK)
    assert visitor.gets() == passed(OK)


@pytest.mark.parametrize("state", [MemberState.DRAIN, MemberState.MAINT])
def test_state(stage: Stage, state: MemberState) -> None:
    """A member taken out gets nothing new; what it has in flight, it finishes."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member("a")
    scene.set_state("a", state)
    others = [scene.visitor() for _ in range(3)]
    for other in others:
        other.says(GET)
        scene.member("b").says(OK)
        other.resets()
        scene.site.pools[1].close()
    member.says(OK)
    assert visitor.gets() == passed(OK)


def test_trial(stage: Stage) -> None:
    """A rested member gets one request at a time until it answers."""
    scene = stage(members=2)
    scene.publish(a=TRIAL)
    visitors = [scene.visitor() for _ in range(4)]
    for visitor in visitors[:3]:
        visitor.says(GET)
    tried = scene.member("a")
    others = [scene.member("b"), scene.member("b")]
    assert scene.active == [1, 2]
    tried.says(OK)
    assert scene.reports == [MemberAnswered(site="shop", url="http://a")]
    visitors[3].says(GET)
    assert scene.active == [1, 2]
    for member in (tried, *others):
        member.says(OK)
    assert [visitor.gets() for visitor in visitors] == 4 * [passed(OK)]


def test_who_may_try_tells_of_it(stage: Stage) -> None:
    """A worker among others says when a trial begins, and when it is over without a verdict."""
    scene = stage(members=2)
    scene.worker = 3
    scene.publish(a=TRIAL)
    visitor = scene.visitor()
    visitor.says(GET)
    scene.member("a")
    begun = MemberTried(site="shop", url="http://a", worker=3, begins=True)
    assert scene.reports == [begun]
    visitor.resets()
    over = MemberTried(site="shop", url="http://a", worker=3, begins=False)
    assert scene.reports == [begun, over]
    again = scene.visitor()
    again.says(GET)
    scene.member("a").says(OK)
    assert scene.reports[2:] == [begun, MemberAnswered(site="shop", url="http://a")]
    assert again.gets() == passed(OK)


def test_the_leave_passes_on_meanwhile(stage: Stage) -> None:
    """A trial whose worker may try no more is finished, and nobody else is sent there."""
    scene = stage(members=2)
    scene.worker = 3
    scene.publish(a=TRIAL)
    visitor, other = scene.visitor(), scene.visitor()
    visitor.says(GET)
    tried = scene.member("a")
    scene.publish(a=RESTING)
    other.says(GET)
    scene.member("b").says(OK)
    tried.says(OK)
    assert visitor.gets() == other.gets() == passed(OK)
    assert scene.reports[1:] == [MemberAnswered(site="shop", url="http://a")]


def test_failed_trial(stage: Stage) -> None:
    """A request that finds its member on trial dead goes on to another one."""
    scene = stage(members=2)
    scene.publish(a=TRIAL)
    visitor = scene.visitor()
    visitor.says(GET)
    scene.member("a").resets()
    assert len(scene.failures) == 1
    scene.member("b").says(OK)
    assert visitor.gets() == passed(OK)


def test_only_a_trial_is_left(stage: Stage) -> None:
    """While the only member is on trial, one request goes to it and others get the apology."""
    scene = stage()
    scene.publish(a=TRIAL)
    first, second = scene.visitor(), scene.visitor()
    first.says(GET)
    second.says(GET)
    assert status_of(second.gets()) == 503
    scene.member().says(OK)
    assert first.gets() == passed(OK)


def test_old_requests_do_not_block_a_trial(stage: Stage) -> None:
    """What was in flight before a member failed does not stand in the way of its trial."""
    scene = stage(members=2)
    old = scene.visitor()
    old.says(GET)
    first = scene.member("a")
    scene.publish(a=RESTING)
    scene.publish(a=TRIAL)
    new = scene.visitor()
    new.says(GET)
    assert scene.active == [2, 0]
    second = scene.member("a")
    second.says(OK)
    first.says(OK)
    assert old.gets() == new.gets() == passed(OK)


def test_long_answer_does_not_block_the_next_trial(stage: Stage) -> None:
    """A trial is over with the head of its answer, however long the answer takes."""
    scene = stage(members=2)
    scene.publish(a=TRIAL)
    long = scene.visitor()
    long.says(GET)
    first = scene.member("a")
    first.says(OK[:-1])
    scene.publish(a=UP)
    scene.publish(a=RESTING)
    scene.publish(a=TRIAL)
    new = scene.visitor()
    new.says(GET)
    assert scene.active == [2, 0]
    scene.member("a").says(OK)
    first.says(OK[-1:])
    assert long.gets() == new.gets() == passed(OK)


def test_changed_members(stage: Stage) -> None:
    """A member that is gone from the configuration finishes what it has in flight."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member("a")
    scene.keep_members("b")
    assert scene.active == [0]
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert member.is_gone
    visitor.says(GET)
    scene.member("b").says(OK)
    assert visitor.gets() == passed(OK)
