"""Members that take only so many requests at once, as visitors see it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.edge.messages import GET, OK, asked, field_of, passed, post, put, request, status_of
from tests.edge.scene import NOON, TIMES, Scene, Stage, window
from tests.edge.wires import FakeWire

from sorryd.edge.wheel import TICK
from sorryd.model import Health
from sorryd.reports import MemberFailed, Report

QUEUE = TIMES.queue
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


def limited(scene: Scene, limit: int = 1, **health: Health) -> Scene:
    """The scene, from now on with a limit for each member."""
    view = scene.site.view
    members = tuple(
        replace(
            view,
            member=replace(view.member, max_connections=limit),
            health=health.get(view.member.host, view.health),
        )
        for view in view.members
    )
    scene.site.apply(replace(view, members=members))
    return scene


def rests(scene: Scene, report: Report) -> None:
    """Member a rests, as soon as it has failed."""
    assert isinstance(report, MemberFailed)
    limited(scene, a=Health.RESTING)


def visitors(scene: Scene, count: int) -> list[FakeWire]:
    """Visitors who have asked."""
    found = [scene.visitor() for _ in range(count)]
    for visitor in found:
        visitor.says(GET)
    return found


def test_one_at_a_time(stage: Stage) -> None:
    """Each gets its answer in its turn, over the connection that is there."""
    scene = limited(stage())
    asking = visitors(scene, 3)
    member = scene.member()
    for visitor in asking:
        assert member.gets() == asked(GET)
        assert scene.active == [1]
        member.says(OK)
        assert visitor.gets() == passed(OK)
    assert scene.is_asking_nobody


def test_pipelined_requests_do_not_overtake(stage: Stage) -> None:
    """The next request of the visitor who was served comes after those who wait."""
    scene = limited(stage())
    first, second = scene.visitor(), scene.visitor()
    first.says(GET + GET)
    member = scene.member()
    second.says(GET)
    assert member.gets() == asked(GET)
    member.says(OK)
    assert first.gets() == passed(OK)
    member.says(OK)
    assert second.gets() == passed(OK)
    member.says(OK)
    assert first.gets() == passed(OK)


def test_time_is_up(stage: Stage) -> None:
    """After `timeout_queue` the apology comes, and the connection lives on."""
    scene = limited(stage())
    first, second = visitors(scene, 2)
    scene.passes(QUEUE - 1)
    assert second.gets() == b""
    scene.passes(1 + 2 * TICK)
    got = second.gets()
    assert (status_of(got), field_of(got, b"Sorry-Cause")) == (503, b"members")
    assert second.is_open
    scene.member().says(OK)
    assert first.gets() == passed(OK)


def test_queue_is_full(stage: Stage) -> None:
    """One more than may wait gets the apology at once."""
    scene = limited(stage(max_queue=1))
    first, second, third = visitors(scene, 3)
    assert status_of(third.gets()) == 503
    member = scene.member()
    member.says(OK)
    member.says(OK)
    assert first.gets() == second.gets() == passed(OK)


@pytest.mark.parametrize("message", [put(b"hello"), post(b"hello")], ids=["PUT", "POST"])
def test_upload_waits(stage: Stage, message: bytes) -> None:
    """While a request waits its body is not read; then it goes to the member whole."""
    scene = limited(stage())
    first, second = scene.visitor(), scene.visitor()
    first.says(GET)
    member = scene.member()
    member.gets()
    second.says(message[:-3])
    second.says(message[-3:])
    assert scene.active == [1]
    assert second.unread > 0
    member.says(OK)
    assert member.gets() == asked(message)
    member.says(OK)
    assert second.gets() == passed(OK)


def test_visitor_leaves_the_queue(stage: Stage) -> None:
    """Who goes away while waiting holds nobody up."""
    scene = limited(stage())
    first, second, third = visitors(scene, 3)
    second.resets()
    member = scene.member()
    member.says(OK)
    member.says(OK)
    assert first.gets() == third.gets() == passed(OK)


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_visitor_leaves_the_member(stage: Stage, how: str) -> None:
    """Whose visitor goes away in the middle frees the slot."""
    scene = limited(stage())
    first, second = scene.visitor(), scene.visitor()
    first.says(request(b"POST / HTTP/1.1", b"Content-Length: 9\r\n", b"abc"))
    scene.member()
    second.says(GET)
    first.leaves(how)
    scene.member().says(OK)
    assert second.gets() == passed(OK)


def test_end_of_drain(stage: Stage) -> None:
    """Requests in flight have their grace, and so do those that wait; then all is over."""
    scene = limited(stage())
    asking = visitors(scene, 2)
    scene.site.apply(replace(scene.site.view, windows=(window(NOON, NOON + 600),)))
    scene.passes(2 * TICK)
    assert [status_of(visitor.gets()) for visitor in asking] == [503, 503]
    assert scene.active == [0]
    assert scene.site.waiting == 0


def test_stop(stage: Stage) -> None:
    """When sorryd stops, who waits is still served."""
    scene = limited(stage())
    asking = visitors(scene, 2)
    scene.site.stop()
    member = scene.member()
    for visitor in asking:
        member.says(OK)
        assert visitor.gets() == passed(OK, b"Connection: close\r\n")
        assert visitor.is_gone


def test_failed_member_is_not_given_to_who_waits(stage: Stage) -> None:
    """Its failure is known before its slot is free: they go to another one."""
    scene = limited(stage(members=2))
    first, second, third = visitors(scene, 3)
    a, b = scene.member("a"), scene.member("b")
    scene.on_report = lambda report: rests(scene, report)
    a.resets()
    assert scene.active == [0, 1]
    assert scene.site.waiting == 2
    for _ in range(3):
        b.says(OK)
    assert first.gets() == second.gets() == third.gets() == passed(OK)
    assert scene.is_asking_nobody


def test_refused_connection(stage: Stage) -> None:
    """A member that can't be connected to frees its slot for who waits."""
    scene = limited(stage(members=2))
    scene.is_dialling_slow = True
    asking = visitors(scene, 3)
    scene.refusing["a"] = "connection refused"
    scene.on_report = lambda report: rests(scene, report)
    scene.is_dialling_slow = False
    b = scene.member("b")
    for _ in range(3):
        b.says(OK)
    assert [visitor.gets() for visitor in asking] == 3 * [passed(OK)]


def test_slot_is_kept_for_a_fresh_connection(stage: Stage) -> None:
    """A request that lost the race with a member's time-out keeps its slot: it is not at the
    end of the queue again."""
    scene = limited(stage())
    first, second = scene.visitor(), scene.visitor()
    first.says(GET)
    kept = scene.member()
    kept.says(OK)
    first.gets()
    first.says(GET)
    second.says(GET)
    kept.ends()
    fresh = scene.member()
    fresh.says(OK)
    assert first.gets() == passed(OK)
    fresh.says(OK)
    assert second.gets() == passed(OK)


def test_tunnel_holds_its_slot(stage: Stage) -> None:
    """An upgraded connection is in flight until it ends."""
    scene = limited(stage())
    first, second = scene.visitor(), scene.visitor()
    first.says(request(fields=UPGRADE))
    member = scene.member()
    member.says(b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"\r\n")
    second.says(GET)
    assert scene.site.waiting == 1
    first.resets()
    scene.member().says(OK)
    assert second.gets() == passed(OK)


def test_limit_of_a_new_configuration(stage: Stage) -> None:
    """A reload that lifts the limit lets all go who wait, and loses none."""
    scene = limited(stage())
    asking = visitors(scene, 3)
    limited(scene, 0)
    for visitor in asking:
        scene.member("a").says(OK)
        assert visitor.gets() == passed(OK)


def test_end_of_a_trial(stage: Stage) -> None:
    """Who waits while others are full goes to a member on trial as soon as it is free again."""
    scene = stage(members=2)
    limited(scene, b=Health.TRIAL)
    view = scene.site.view
    a, b = view.members
    members = (a, replace(b, member=replace(b.member, max_connections=0)))
    scene.site.apply(replace(view, members=members))
    trying, served, waiting = visitors(scene, 3)
    scene.member("b")
    scene.member("a").says(OK[:-1])
    assert scene.active == [1, 1]
    trying.resets()
    scene.member("b").says(OK)
    assert waiting.gets() == passed(OK)
    served.resets()
