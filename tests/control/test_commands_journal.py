"""Commands of the control socket change nothing before the journal has it, and then it lasts."""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.world import ALICE, A, World, night, result
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from sorryd.errors import ControlError, ErrorCode
from sorryd.messages import (
    MemberSet,
    Request,
    SiteDown,
    SiteUp,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
)
from sorryd.model import Phase
from sorryd.policy.windows import Standing
from sorryd.replies import Result


def has_fired(deferred: Deferred[Result]) -> bool:
    fired: list[object] = []

    def note(found: Any) -> Any:
        fired.append(found)
        return found

    deferred.addBoth(note)
    return bool(fired)


def test_nothing_is_so_before_it_is_written(world: World) -> None:
    """A change is answered, published and seen by others only when the journal has it."""
    world.journal.waiting = []
    answer = world.commands.execute(SiteDown(site="shop"), ALICE)
    assert not has_fired(answer)
    assert world.phase() == "live"
    assert len(world.published) == 1
    assert world.ask(Status()).sites[0].phase is Phase.LIVE
    world.journal.let_go()
    assert [site.phase for site in result(answer)] == [Phase.DRAINING]  # type: ignore[union-attr]  # sites
    assert len(world.published) == 2


@pytest.mark.parametrize(
    "request_",
    [
        SiteDown(site="blog"),
        SiteUp(),
        night("new"),
        WindowExtend(id="open", by="1h"),
        WindowEnd(id="open"),
        WindowCancel(id="later"),
        MemberSet(url=A, weight=7),
    ],
    ids=lambda request: request.method,
)
def test_the_journal_fails(world: World, request_: Request) -> None:
    """A change that the journal refuses is refused, and nothing is changed by it."""
    world.ask(night("open", from_="now"))
    world.ask(night("later"))
    before = world.truth.windows, world.truth.snapshot
    world.journal.broken = True
    with capturedLogs():
        error = world.refused(request_)
    assert error.code is ErrorCode.INTERNAL_ERROR
    assert error.message == "nothing was changed: sorryd.db: disk I/O error"
    assert (world.truth.windows, world.truth.snapshot) == before
    world.journal.broken = False
    world.restart()
    assert world.ids() == {"open", "later"}
    world.ask(request_)  # and the next one works


def test_one_change_after_another(world: World) -> None:
    """A change is decided on what those before it have committed."""
    world.ask(night("open", from_="now"))
    world.journal.waiting = []
    ended = world.commands.execute(WindowEnd(id="open"), ALICE)
    again = world.commands.execute(WindowEnd(id="open"), ALICE)
    reading = world.commands.execute(Status(), ALICE)
    assert [has_fired(one) for one in (ended, again, reading)] == [False, False, True]
    world.journal.let_go()
    result(ended)
    with pytest.raises(ControlError, match="open is over"):
        result(again)


def test_prolonged_at_its_very_end(world: World) -> None:
    """A window whose end comes while the journal takes its new end is prolonged, not ended."""
    world.ask(night("open", from_="now"))
    world.wait(3599)
    world.journal.waiting = []
    answer = world.commands.execute(WindowExtend(id="open", by="1h"), ALICE)
    world.wait(2)
    world.journal.let_go()
    assert result(answer).until == "2026-11-21T15:00:00+01:00"  # type: ignore[union-attr]  # a window
    world.truth.look()
    assert world.phase() == "down"
    world.restart()
    assert world.phase() == "down"


def test_too_late_to_prolong(world: World) -> None:
    """A window whose end has come is over, even if nobody has looked since."""
    world.ask(night("open", from_="now"))
    world.step(3600)
    error = world.refused(WindowExtend(id="open", by="1h"))
    assert (error.code, error.message) == (ErrorCode.CONFLICT, "open is over")


SITES = st.sampled_from(["shop", "blog", None])
NAMES = st.sampled_from(["a", "b", "c"])
REQUESTS = st.one_of(
    st.builds(SiteDown, site=SITES, for_=st.sampled_from([None, "3m"])),
    st.builds(SiteUp, site=SITES),
    st.builds(
        night,
        NAMES,
        st.sampled_from(["now", "+1m", "+4m"]),
        st.sampled_from(["2m", "5m"]),
        SITES,
    ),
    st.builds(WindowExtend, id=NAMES, by=st.just("1m")),
    st.builds(WindowEnd, id=NAMES),
    st.builds(WindowCancel, id=NAMES),
)


# Odd ones, so that no command comes at the very instant at which a window begins or ends.
PAUSES = st.sampled_from([0, 20.1, 60.01, 150.001])


@given(st.lists(st.tuples(REQUESTS, PAUSES, st.booleans()), max_size=8))
@settings(max_examples=60)
def test_a_restart_changes_nothing(steps: list[tuple[Request, float, bool]]) -> None:
    """Whatever was commanded, a daemon killed at any point goes on as if it had not been."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"{folder}/sorryd.db")
        for request, pause, broken in steps:
            world.journal.broken = broken
            with contextlib.suppress(ControlError):
                world.ask(request)
            world.journal.broken = False
            world.wait(pause)
            before = [world.truth.standing(site) for site in world.config.sites]
            world.restart()
            after = [world.truth.standing(site) for site in world.config.sites]
            assert [_lasting(one) for one in before] == [_lasting(one) for one in after]
        world.journal.close()


def _lasting(standing: Standing) -> tuple[object, ...]:
    return standing.phase, standing.cause, standing.window, standing.since, standing.until
