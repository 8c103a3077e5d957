"""Requests that come through a trusted proxy, and answers that name where a member is."""

from __future__ import annotations

import pytest
from tests.edge.messages import GET, OK, answer, asked, field_of, passed, request
from tests.edge.scene import Stage

PROXY = "10.0.0.1"
TRUSTED = ("10.0.0.0/8", "unix")
CLAIMS = (
    b"X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
    b"X-Forwarded-Host: public.example\r\nX-Forwarded-Port: 443\r\n"
)


def test_trusted_proxy(stage: Stage) -> None:
    """The member is told what the proxy said, and each request's own."""
    scene = stage(trusted_proxies=TRUSTED)
    visitor = scene.visitor(address=PROXY)
    visitor.says(request(fields=b"A: b\r\n" + CLAIMS))
    member = scene.member()
    head = member.gets()
    assert field_of(head, b"X-Forwarded-For") == b"198.51.100.7, 10.0.0.1"
    assert field_of(head, b"X-Forwarded-Proto") == b"https"
    assert field_of(head, b"X-Forwarded-Host") == b"public.example"
    assert field_of(head, b"X-Forwarded-Port") == b"443"
    assert field_of(head, b"Forwarded") == (
        b'for=198.51.100.7;host="public.example";proto=https, '
        b'for=10.0.0.1;host="shop.example";proto=http'
    )
    member.says(OK)
    visitor.says(request(fields=b"X-Forwarded-For: 198.51.100.8\r\n"))
    head = member.gets()
    assert field_of(head, b"X-Forwarded-For") == b"198.51.100.8, 10.0.0.1"
    assert field_of(head, b"X-Forwarded-Port") is None
    member.says(OK)


def test_stranger(stage: Stage) -> None:
    """Whoever else says so is not heard."""
    scene = stage(trusted_proxies=TRUSTED)
    visitor = scene.visitor()
    visitor.says(request(fields=b"A: b\r\n" + CLAIMS))
    member = scene.member()
    assert member.gets() == asked(request(fields=b"A: b\r\n"))
    member.says(OK)


@pytest.mark.parametrize("trusted", [(), ("unix",)])
def test_proxy_on_a_unix_socket(stage: Stage, trusted: tuple[str, ...]) -> None:
    """It has no address, and is believed where the word for that is there."""
    scene = stage(trusted_proxies=trusted)
    visitor = scene.visitor(address="")
    visitor.says(request(fields=CLAIMS))
    member = scene.member()
    told = field_of(member.gets(), b"X-Forwarded-For")
    assert told == (b"198.51.100.7" if trusted else None)
    member.says(OK)


@pytest.mark.parametrize(
    ("address", "claims", "host"),
    [("192.0.2.7", b"", b"shop.example"), (PROXY, CLAIMS, b"public.example")],
)
def test_redirect_by_a_member(stage: Stage, address: str, claims: bytes, host: bytes) -> None:
    """It leads to where the visitor asked, as a trusted proxy says it."""
    scene = stage(trusted_proxies=TRUSTED)
    visitor = scene.visitor(tls=not claims, address=address)
    visitor.says(request(fields=claims))
    fields = b"Location: %b/b\r\nX: http://a/\r\nSet-Cookie: c=d; Domain=%b\r\n"
    first = b"HTTP/1.1 302 Found"
    scene.member().says(answer(b"", fields % (b"http://a", b"a"), first))
    assert visitor.gets() == passed(answer(b"", fields % (b"https://" + host, host), first))


def test_no_rewriting(stage: Stage) -> None:
    """Where that is switched off, the member's word stands."""
    scene = stage(rewrite_location=False)
    visitor = scene.visitor()
    visitor.says(GET)
    redirect = answer(b"", b"Location: http://a/b\r\n", b"HTTP/1.1 302 Found")
    scene.member().says(redirect)
    assert visitor.gets() == passed(redirect)
