"""Who passes a site that is down, or a part of it, and what a member sees of that."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.edge.messages import GET, OK, asked, field_of, passed, post, request, status_of
from tests.edge.scene import NOON, Scene, Stage, window
from tests.edge.test_tunnel import tunnel

from sorryd.edge.wheel import TICK
from sorryd.model import Exempt, MemberState
from sorryd.policy.bypass import bypass_key, make
from sorryd.window import Scope, Window

SECRET = b"sixteen bytes or more"
NIGHT = window(NOON, NOON + 600)
PRIVATE = b"Cache-Control: private, no-store\r\n"


def token(holder: str = "window w1") -> bytes:
    return make(bypass_key(SECRET, b""), "shop", holder, int(NOON) + 900).encode()


def on(*paths: str, drain: float = 0.0) -> Window:
    return msgspec.structs.replace(
        window(NOON, NOON + 600, drain), id="part", scope=Scope(paths=paths)
    )


def down(stage: Stage, **fields: Any) -> Scene:
    """A site that is down, with a secret."""
    scene = stage(bypass_secret=SECRET, **fields)
    scene.publish(NIGHT)
    return scene


# --- exempt ---------------------------------------------------------------------------------


def test_exempt(stage: Stage) -> None:
    """It goes to the members while all others get the apology, on the same connection."""
    scene = down(stage, exempt=(Exempt(path="/healthz"),))
    visitor = scene.visitor()
    health = request(b"GET /healthz HTTP/1.1")
    visitor.says(health + GET)
    member = scene.member()
    assert member.gets() == asked(health)
    member.says(OK)
    got = visitor.gets()
    assert got.startswith(passed(OK))
    assert status_of(got.removeprefix(passed(OK))) == 503


def test_exempt_at_the_end_of_drain(stage: Stage) -> None:
    """What is exempt is not cut, also where it was begun before; the rest is."""
    scene = stage(members=2, exempt=(Exempt(path="/hooks/", method="POST"),))
    hook, other = scene.visitor(), scene.visitor()
    hook.says(request(b"POST /hooks/a HTTP/1.1", b"Content-Length: 0\r\n"))
    first = scene.member()
    other.says(post(b"x"))
    second = scene.member()
    scene.publish(NIGHT)
    scene.passes(2 * TICK)
    assert status_of(other.gets()) == 503
    assert second.is_aborted
    first.says(OK)
    assert hook.gets() == passed(OK)


# --- operators ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        (b"Sorryd-Bypass: %b\r\n", b""),
        (b"sorryd-bypass:%b\r\n", b""),
        (b"Cookie: sorryd_bypass=%b\r\n", b""),
        (b"Cookie: a=1; sorryd_bypass=%b; b=2\r\n", b"Cookie: a=1; b=2\r\n"),
        (b"A: b\r\nCookie: sorryd_bypass=%b; b=2\r\nC: d\r\n", b"A: b\r\nCookie: b=2\r\nC: d\r\n"),
        (b"cookie: x=y;  z\r\nCookie: sorryd_bypass=%b\r\n", b"cookie: x=y;  z\r\n"),
        (b'Cookie: sorryd_bypass="%b"; b="c d"\r\n', b'Cookie: b="c d"\r\n'),
    ],
)
@pytest.mark.parametrize("is_down", [True, False], ids=["down", "live"])
def test_token(stage: Stage, fields: bytes, left: bytes, is_down: bool) -> None:
    """A token opens the site to its bearer; no member sees it, nor another cookie less."""
    scene = down(stage) if is_down else stage(bypass_secret=SECRET)
    visitor = scene.visitor()
    visitor.says(request(fields=fields % token()))
    member = scene.member()
    assert member.gets() == asked(request(fields=left))
    member.says(OK)
    fields = b"Content-Length: 5\r\n"
    mine = passed(OK).replace(fields, fields + PRIVATE) if is_down else passed(OK)
    assert visitor.gets() == mine


@pytest.mark.parametrize(
    "fields",
    [
        b"Sorryd-Bypass: nonsense\r\n",
        b"Cookie: sorryd_bypass=\r\n",
        b"Cookie: sorryd_bypass\r\n",
        b"Cookie: xsorryd_bypass=" + token() + b"\r\n",
        b"Cookie: SORRYD_BYPASS=" + token() + b"\r\n",
        b"Sorryd_Bypass: " + token() + b"\r\n",
        b"Cookie: " + b"sorryd_bypass=x; " * 4 + b"sorryd_bypass=" + token() + b"\r\n",
    ],
)
def test_bad_token(stage: Stage, fields: bytes) -> None:
    """Whoever has no good token gets the apology like everybody."""
    scene = down(stage)
    visitor = scene.visitor()
    visitor.says(request(fields=fields) + GET)
    got = visitor.gets()
    assert got.count(b"HTTP/1.1 503 ") == 2
    assert scene.is_asking_nobody


def test_token_dies_with_its_window(stage: Stage) -> None:
    """A token for one window opens nothing in the next."""
    scene = down(stage)
    visitor = scene.visitor()
    with_token = request(fields=b"Sorryd-Bypass: " + token() + b"\r\n")
    scene.publish(msgspec.structs.replace(NIGHT, id="w2"))
    visitor.says(with_token)
    assert status_of(visitor.gets()) == 503


@pytest.mark.parametrize("believed", [True, False])
def test_network(stage: Stage, believed: bool) -> None:
    """An operator's address counts behind a proxy that is trusted, and is a lie elsewhere."""
    trusted = ("192.0.2.0/24",) if believed else ()
    scene = down(stage, bypass_networks=("10.0.0.0/8",), trusted_proxies=trusted)
    visitor = scene.visitor()
    visitor.says(request(fields=b"X-Forwarded-For: 10.0.0.1\r\n"))
    if believed:
        scene.member().says(OK)
        assert status_of(visitor.gets()) == 200
    else:
        assert status_of(visitor.gets()) == 503


def test_operator_and_members_in_maintenance(stage: Stage) -> None:
    """To see the site itself is not to see a member that is taken out."""
    scene = down(stage, bypass_networks=("192.0.2.0/24",))
    scene.set_state("a", MemberState.MAINT)
    visitor = scene.visitor()
    visitor.says(GET)
    got = visitor.gets()
    assert (status_of(got), field_of(got, b"Sorry-Cause")) == (503, b"members")


def test_operator_at_the_end_of_drain(stage: Stage) -> None:
    """An operator's requests and tunnels are not cut when others' are."""
    scene = stage(members=1, bypass_networks=("192.0.2.7/32",))
    operator, member = tunnel(scene)
    other = scene.visitor(address="192.0.2.8")
    other.says(GET)
    scene.member()
    scene.publish(NIGHT)
    scene.passes(2 * TICK)
    assert status_of(other.gets()) == 503
    operator.says(b"still")
    assert member.gets() == b"still"
    operator.resets()


# --- the link -------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
def test_link(stage: Stage, tls: bool) -> None:
    """The link sets the cookie, and leads to the site."""
    scene = down(stage)
    visitor = scene.visitor(tls)
    visitor.says(request(b"GET /.sorryd/bypass?t=" + token() + b"&to=/a HTTP/1.1") + GET)
    got, rest = visitor.gets().split(b"\r\n\r\n", 1)
    assert status_of(got) == 302
    assert field_of(got, b"Location") == b"/a"
    assert field_of(got, b"Cache-Control") == b"no-store"
    assert field_of(got, b"Referrer-Policy") == b"no-referrer"
    cookie = b"sorryd_bypass=%b; Path=/; HttpOnly; SameSite=Lax" % token()
    assert field_of(got, b"Set-Cookie") == cookie + (b"; Secure" if tls else b"")
    assert status_of(rest) == 503
    assert scene.is_asking_nobody


@pytest.mark.parametrize("value", [b"", b"?t=x", b"?t=" + token("window other")])
def test_bad_link(stage: Stage, value: bytes) -> None:
    """A bad link is told nothing but what everybody is told."""
    scene = down(stage)
    visitor = scene.visitor()
    visitor.says(GET)
    plain = visitor.gets()
    visitor.says(request(b"GET /.sorryd/bypass" + value + b" HTTP/1.1"))
    assert visitor.gets() == plain


def test_link_before_the_window(stage: Stage) -> None:
    """A link that is opened early leads to the site, and no member sees the token."""
    scene = stage(bypass_secret=SECRET)
    scene.publish(window(NOON + 60, NOON + 600))
    visitor = scene.visitor()
    visitor.says(request(b"GET /.sorryd/bypass?t=" + token() + b" HTTP/1.1"))
    got = visitor.gets()
    assert status_of(got) == 302
    assert field_of(got, b"Set-Cookie") is None
    visitor.says(request(b"POST /.sorryd/x HTTP/1.1", b"Content-Length: 3\r\n", b"abc") + GET)
    scene.member().says(OK)
    got = visitor.gets()
    assert status_of(got) == 404
    assert got.endswith(passed(OK))


# --- windows on a part ----------------------------------------------------------------------


def test_partial(stage: Stage) -> None:
    """Who asks for what a window covers gets its apology; the site goes on for others."""
    scene = stage()
    scene.publish(on("/admin"))
    visitor = scene.visitor()
    visitor.says(request(b"GET /admin/a HTTP/1.1") + GET)
    scene.member().says(OK)
    got = visitor.gets()
    assert status_of(got) == 503
    assert field_of(got, b"Retry-After") == b"600"
    assert field_of(got, b"Sorry-Cause") == b"window"
    assert got.endswith(passed(OK))


def test_partial_drain(stage: Stage) -> None:
    """What a window covers, and was in flight, is cut when it has drained; nothing else is."""
    scene = stage(members=2)
    covered, other = scene.visitor(), scene.visitor()
    covered.says(request(b"GET /admin HTTP/1.1"))
    first = scene.member()
    other.says(GET)
    second = scene.member()
    scene.publish(on("/admin", drain=5.0), msgspec.structs.replace(on("/a", drain=9.0), id="x"))
    scene.passes(4.0)
    assert covered.gets() == b""
    scene.passes(1.0 + 2 * TICK)
    assert status_of(covered.gets()) == 503
    assert first.is_aborted
    scene.passes(5.0)
    second.says(OK)
    assert other.gets() == passed(OK)


def test_partial_drain_of_a_tunnel(stage: Stage) -> None:
    """A tunnel is covered if the request was that began it."""
    scene = stage()
    visitor, member = tunnel(scene)
    scene.publish(on("/other"))
    scene.passes(2 * TICK)
    visitor.says(b"still")
    assert member.gets() == b"still"
    part = msgspec.structs.replace(on(), id="all", scope=Scope(methods=("GET",)))
    scene.publish(part)
    scene.passes(2 * TICK)
    assert visitor.is_gone
    assert member.is_gone


def test_partial_window_that_grows(stage: Stage) -> None:
    """Whom a window covers since it was changed has the time of its drain from then on."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(request(b"GET /shop HTTP/1.1"))
    scene.publish(on("/admin", drain=5.0))
    scene.passes(9.0)
    scene.publish(on("/admin", "/shop", drain=5.0))
    scene.passes(4.0)
    assert visitor.gets() == b""
    scene.passes(1.0 + 2 * TICK)
    assert status_of(visitor.gets()) == 503


def test_partial_window_that_ends(stage: Stage) -> None:
    """When it is over, what it covered is in flight as before."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"GET /admin HTTP/1.1"))
    scene.publish(on("/admin", drain=5.0))
    scene.passes(2.0)
    scene.publish()
    scene.passes(9.0)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)
