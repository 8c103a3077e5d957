"""The sticky cookie, as visitors and members see it."""

from __future__ import annotations

import re

from tests.edge.messages import GET, OK, asked, field_of, passed, request, status_of
from tests.edge.scene import Scene, Stage
from tests.edge.wires import FakeWire

from sorryd.model import Balance, Health, MemberState


def staged(stage: Stage) -> Scene:
    """A site of two members with the cookie."""
    return stage(members=2, balance=Balance.STICKY)


def bound(scene: Scene, visitor: FakeWire, fields: bytes = b"") -> bytes:
    """The cookie that a new visitor's first answer sets."""
    visitor.says(request(fields=fields))
    scene.member().says(OK)
    got = visitor.gets()
    assert status_of(got) == 200
    assert field_of(got, b"Cache-Control") == b"private"
    set_cookie = field_of(got, b"Set-Cookie")
    assert set_cookie is not None
    found = re.fullmatch(rb"(SRV=[\w-]{22}); Path=/; HttpOnly; SameSite=Lax", set_cookie)
    assert found is not None
    return found[1]


def test_visitor_stays(stage: Stage) -> None:
    """With the cookie, on whatever connection, the same member; which does not see it."""
    scene = staged(stage)
    cookie = bound(scene, scene.visitor())
    other = bound(scene, scene.visitor())
    assert cookie != other
    scene.site.close()
    for _ in range(2):
        visitor = scene.visitor()
        visitor.says(request(fields=b"Cookie: a=b; " + cookie + b"\r\n"))
        member = scene.member("a")
        assert member.gets() == asked(request(fields=b"Cookie: a=b\r\n"))
        member.says(OK)
        assert visitor.gets() == passed(OK)
        scene.site.close()


def test_cookie_before_host(stage: Stage) -> None:
    """Taken out, it leaves Host where the member finds it, and no empty field."""
    scene = stage(members=2, balance=Balance.STICKY, preserve_host=False)
    cookie = bound(scene, scene.visitor())
    scene.site.close()
    visitor = scene.visitor()
    visitor.says(b"GET / HTTP/1.1\r\nCookie: " + cookie + b"\r\nHost: shop.example\r\n\r\n")
    member = scene.member("a")
    got = member.gets()
    assert got.startswith(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For:")
    assert b"Cookie" not in got
    member.says(OK)
    assert visitor.gets() == passed(OK)


def test_over_https(stage: Stage) -> None:
    """A visitor over TLS sends the cookie over nothing else."""
    scene = staged(stage)
    visitor = scene.visitor(tls=True)
    visitor.says(GET)
    scene.member().says(OK)
    set_cookie = field_of(visitor.gets(), b"Set-Cookie")
    assert set_cookie is not None
    assert set_cookie.endswith(b"; SameSite=Lax; Secure")


def test_drained_member_keeps_its_visitors(stage: Stage) -> None:
    """In drain those with the cookie still come, others do not."""
    scene = staged(stage)
    visitor = scene.visitor()
    cookie = bound(scene, visitor)
    scene.set_state("a", MemberState.DRAIN)
    newcomers = [scene.visitor() for _ in range(2)]
    for newcomer in newcomers:
        newcomer.says(GET)
        scene.member("b").says(OK)
        scene.site.close()
    visitor.says(request(fields=b"Cookie: " + cookie + b"\r\n"))
    scene.member("a").says(OK)
    assert visitor.gets() == passed(OK)


def test_lost_member_loses_its_visitors(stage: Stage) -> None:
    """They get another member and its cookie; so does the one whose request finds it dead."""
    scene = staged(stage)
    visitor = scene.visitor()
    cookie = bound(scene, visitor)
    scene.site.close()
    scene.refusing["a"] = "connection refused"
    mine = request(fields=b"Cookie: " + cookie + b"\r\n")
    visitor.says(mine)
    scene.member("b").says(OK)
    second = field_of(visitor.gets(), b"Set-Cookie")
    assert second is not None
    assert not second.startswith(cookie)
    scene.publish(a=Health.RESTING)
    visitor.says(mine)
    scene.member("b").says(OK)
    assert field_of(visitor.gets(), b"Set-Cookie") == second


def test_apology_sets_no_cookie(stage: Stage) -> None:
    """Only a member's answer binds a visitor."""
    scene = staged(stage)
    scene.publish(a=Health.DOWN, b=Health.DOWN)
    visitor = scene.visitor()
    visitor.says(GET)
    assert field_of(visitor.gets(), b"Set-Cookie") is None
