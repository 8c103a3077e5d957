"""What the access log says of requests that sorryd itself answers, where more than one came."""

from __future__ import annotations

from tests.edge.messages import GET, OK, request
from tests.edge.scene import NOON, Stage, window
from tests.edge.test_site_queue import limited, visitors
from tests.edge.watched import Watched

from sorryd.edge.wheel import TICK
from sorryd.model import Health


def test_bad_request_behind_a_good_one(stage: Stage) -> None:
    """What came in its place is shown, and nothing of what was before it."""
    watched = Watched(stage())
    watched.scene.publish(window(NOON - 60, NOON + 60))
    visitor = watched.scene.visitor()
    visitor.says_at_once(GET[:9])
    visitor.says_at_once(GET[9:] + b"GET  /bad HTTP/1.1\r\n\r\n")
    assert [line["received"] for line in watched.lines() if "received" in line] == [
        "GET  /bad HTTP/1.1"
    ]


def test_no_room_to_wait(stage: Stage) -> None:
    """All members are full, and so is the queue."""
    scene = limited(stage(max_queue=0))
    watched = Watched(scene)
    visitors(scene, 2)
    assert watched.line("status", "ended") == (503, "queue")
    for visitor in scene.visitors:
        visitor.resets()


def test_no_room_in_time(stage: Stage) -> None:
    """All members are full for too long."""
    scene = limited(stage())
    watched = Watched(scene)
    visitors(scene, 2)
    scene.passes(scene.site.view.site.timeouts.queue + 2 * TICK)
    assert watched.line("status", "ended") == (503, "queue")
    for visitor in scene.visitors:
        visitor.resets()


def test_nobody_to_wait_for(stage: Stage) -> None:
    """No member is merely full."""
    scene = limited(stage(max_queue=0), a=Health.RESTING)
    watched = Watched(scene)
    visitors(scene, 1)
    assert watched.line("status", "ended") == (503, "no_member")


def test_bad_request_of_a_trusted_proxy(stage: Stage) -> None:
    """Nobody knows for whom it was: not for who asked before."""
    scene = stage(trusted_proxies=("192.0.2.0/24",))
    watched = Watched(scene)
    visitor = scene.visitor()
    visitor.says(request(fields=b"X-Forwarded-For: 198.51.100.1\r\n"))
    scene.member().says(OK)
    assert watched.line("client") == ("198.51.100.1",)
    visitor.says(b"GET  /bad HTTP/1.1\r\n\r\n")
    assert watched.line("status", "client") == (400, "192.0.2.7")
    visitor.ends()
