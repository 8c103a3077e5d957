"""What is counted of requests, without an access log."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.edge.counts import codes, counted
from tests.edge.messages import GET, OK, answer, request
from tests.edge.scene import NOON, Stage, window

from sorryd.edge.wheel import TICK
from sorryd.model import Assets, Health, Listen
from sorryd.numbers import SiteNumbers

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
SWITCHED = b"HTTP/1.1 101 \r\n" + UPGRADE + b"\r\n"


def ended(numbers: SiteNumbers) -> dict[str, int]:
    """Requests that ended otherwise than by an answer, by how."""
    return {one.how: one.requests for one in numbers.ended}


# --- by whom, with which code, in which phase -------------------------------------------------


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b"HTTP/1.1 200 OK", "2xx"),
        (b"HTTP/1.1 302 Found", "3xx"),
        (b"HTTP/1.1 404 Not Found", "4xx"),
        (b"HTTP/1.1 500 Oops", "5xx"),
        (b"HTTP/1.1 999 Odd", "5xx"),
    ],
)
def test_member_answers(stage: Stage, first: bytes, kind: str) -> None:
    """A request counts for the member that answered it, once its answer is whole."""
    scene = stage(members=2)
    visitor, member = scene.asks()
    member.says(answer(b"hello", first=first)[:-1])
    assert counted(scene.site.numbers()) == 0
    member.says(b"o")
    assert codes(scene.site.numbers()) == {f"a live {kind}": 1}
    visitor.says(GET)
    scene.member("b").says(OK)
    visitor.says(GET)
    member.says(OK)
    assert counted(scene.site.numbers()) == 3
    assert ended(scene.site.numbers()) == {}


def test_informational_answer(stage: Stage) -> None:
    """A 1xx before the answer is no answer."""
    scene = stage()
    _, member = scene.asks()
    member.says(b"HTTP/1.1 103 Early Hints\r\n\r\n", OK)
    assert codes(scene.site.numbers()) == {"a live 2xx": 1}


def test_phases(stage: Stage) -> None:
    """The phase is that in which the request began, to the very request that sees it change."""
    scene = stage(announce=60.0)
    visitor, member = scene.warmed_up()
    scene.publish(window(NOON + 120, NOON + 240, drain=60.0))
    scene.wall = NOON + 60
    visitor.says(GET)
    scene.wall = NOON + 120
    member.says(OK)
    other = scene.visitor()
    other.says(GET)
    assert codes(scene.site.numbers()) == {
        "a live 2xx": 1, "a announced 2xx": 1, "draining 5xx": 1,
    }  # fmt: skip
    scene.wall = NOON + 240
    other.says(GET)
    scene.member("a") if not scene.is_asking_nobody else member
    member.says(OK)
    assert codes(scene.site.numbers())["a live 2xx"] == 2


def test_apologies(stage: Stage) -> None:
    """They count for no member where none was asked, and by their cause."""
    scene = stage()
    scene.publish(window(NOON, NOON + 60))
    visitor = scene.visitor()
    visitor.says(GET, request(b"HEAD / HTTP/1.1"))
    scene.publish(window(NOON, None))
    visitor.says(GET)
    scene.publish(a=Health.RESTING)
    visitor.says(GET)
    numbers = scene.site.numbers()
    assert codes(numbers) == {"down 5xx": 3, "live 5xx": 1}
    assert numbers.apologies == (2, 1, 0, 1)  # window, manual, file, members
    assert ended(numbers) == {"no_member": 1}
    assert numbers.itself.sent == len(visitor.gets())


def test_failovers(stage: Stage) -> None:
    """A request counts for the member that was asked last; those before it have a failover."""
    scene = stage(members=3)
    scene.refusing = {"a": "refused", "b": "refused"}
    _, member = scene.asks()
    member.says(OK)
    numbers = scene.site.numbers()
    assert codes(numbers) == {"c live 2xx": 1}
    assert [one.failovers for one in numbers.members] == [1, 1, 0]
    assert [one.failures for one in numbers.members] == [1, 1, 0]
    assert [one.connects for one in numbers.members] == [1, 1, 1]
    assert ended(numbers) == {}


def test_nobody_left(stage: Stage) -> None:
    """The member that was asked last has the apology; nobody took the request from it."""
    scene = stage(members=2)
    scene.refusing = {"a": "refused", "b": "refused"}
    scene.visitor().says(GET)
    numbers = scene.site.numbers()
    assert codes(numbers) == {"b live 5xx": 1}
    assert [one.failovers for one in numbers.members] == [1, 0]
    assert [one.failures for one in numbers.members] == [1, 1]
    assert ended(numbers) == {"member_failed": 1}


def test_retries(stage: Stage) -> None:
    """A kept connection that had ended: the same member is asked again, which is no failure."""
    scene = stage()
    visitor, member = scene.warmed_up()
    visitor.says(GET)
    member.resets()
    scene.member("a").says(OK)
    (one,) = scene.site.numbers().members
    assert (one.retries, one.failovers, one.failures, one.connects) == (1, 0, 0, 2)


# --- answers of our own -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asking", "kind"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "4xx"),  # no Host
        (b"\x16\x03\x01", "4xx"),
        (request(b"CONNECT a:1 HTTP/1.1"), "4xx"),
        (request(b"PUT / HTTP/1.1", b"Content-Length: 11\r\n"), "4xx"),  # 413
        (b"GET / HTTP/2.0\r\n\r\n", "5xx"),  # 505
    ],
)
def test_refused(stage: Stage, asking: bytes, kind: str) -> None:
    """What no member may see counts for none."""
    scene = stage(max_body_bytes=10)
    scene.visitor().says(asking)
    numbers = scene.site.numbers()
    assert codes(numbers) == {f"live {kind}": 1}
    assert ended(numbers) == {"refused": 1}


def test_late_request(stage: Stage) -> None:
    """A head that does not come is a request; a visitor who says nothing made none."""
    scene = stage()
    scene.visitor()
    scene.visitor().says(GET[:9])
    scene.passes(30.0)
    assert codes(scene.site.numbers()) == {"live 4xx": 1}


def test_redirected(stage: Stage) -> None:
    """To https: 308, by sorryd itself."""
    listen = (Listen(host="192.0.2.1", port=443, tls=True),)
    scene = stage(redirect_https=True, listen=listen)
    scene.visitor().says(GET)
    assert codes(scene.site.numbers()) == {"live 3xx": 1}


def test_files(stage: Stage, tmp_path: Path) -> None:
    """Files of the site's own, and those that are not there."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"x" * 300_000)
    scene = stage(sorry_assets=(Assets(prefixes=("/images/",), folder=str(tmp_path)),))
    visitor = scene.visitor()
    visitor.says(request(b"GET /images/a.png HTTP/1.1"))
    size = len(visitor.gets())
    numbers = scene.site.numbers()
    assert codes(numbers) == {"live 2xx": 1}
    assert numbers.itself.sent == size > 300_000
    visitor.says(request(b"GET /images/b.png HTTP/1.1"))
    assert codes(scene.site.numbers()) == {"live 2xx": 1, "live 4xx": 1}


# --- ends -------------------------------------------------------------------------------------


def test_visitor_leaves(stage: Stage) -> None:
    """Before the answer no code counts, in its middle that of its head."""
    scene = stage(members=2)
    for begun in (b"", OK[:-1]):
        visitor, member = scene.asks()
        member.says(begun)
        visitor.resets()
    numbers = scene.site.numbers()
    assert codes(numbers) == {"a live none": 1, "b live 2xx": 1}
    assert ended(numbers) == {"visitor_left": 1, "visitor_cut": 1}
    assert [one.in_flight for one in numbers.members] == [0, 0]


def test_cut_answer(stage: Stage) -> None:
    """A member that stops in the middle of its answer gave the answer of its head."""
    scene = stage()
    _, member = scene.asks()
    member.says(OK[:-1])
    member.resets()
    numbers = scene.site.numbers()
    assert codes(numbers) == {"a live 2xx": 1}
    assert ended(numbers) == {"member_cut": 1}


def test_drained(stage: Stage) -> None:
    """What a drain's end cuts began before it."""
    scene = stage()
    scene.publish(window(NOON + 1, NOON + 60))
    _, _ = scene.asks()
    scene.wall = NOON + 2
    scene.site.look(scene.wall)
    scene.passes(2 * TICK)
    numbers = scene.site.numbers()
    assert codes(numbers) == {"a announced 5xx": 1}
    assert ended(numbers) == {"drained": 1}
    assert numbers.apologies[0] == 1


def test_tunnel(stage: Stage) -> None:
    """It is counted when it begins, is in flight until it ends, and its bytes count meanwhile."""
    scene = stage()
    visitor, member = scene.asks(request(fields=UPGRADE))
    asked = scene.site.numbers().received
    member.says(SWITCHED)
    switched = len(visitor.gets())
    member.says(b"\x82\x05hello")
    visitor.says(b"\x82\x82\0\0\0\0hi")
    numbers = scene.site.numbers()
    (one,) = numbers.members
    assert codes(numbers) == {"a live 1xx": 1}
    assert (numbers.tunnels, one.in_flight, numbers.open) == (1, 1, 1)
    assert (one.answered.sent, numbers.received - asked) == (switched + 7, 8)
    visitor.resets()
    numbers = scene.site.numbers()
    assert (numbers.tunnels, numbers.members[0].in_flight, numbers.open) == (0, 0, 0)
    assert counted(numbers) == 1
