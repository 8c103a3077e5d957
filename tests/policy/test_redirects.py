"""From a plain listener to https."""

from __future__ import annotations

import pytest
from tests.edge.llhttp import Heard, answers

from sorryd.model import Listen
from sorryd.policy.redirects import https_port, redirection


def answer(
    host: bytes = b"shop.example", target: bytes = b"/", port: int = 443, close: bool = False
) -> Heard:
    (found,) = answers(redirection(host, target, port, False, close))
    return found


@pytest.mark.parametrize(
    ("host", "target", "port", "location"),
    [
        pytest.param(b"shop.example", b"/a?b=c", 443, b"https://shop.example/a?b=c", id="usual"),
        pytest.param(b"shop.example", b"/", 8443, b"https://shop.example:8443/", id="port"),
        pytest.param(b"Shop.example:8080", b"/", 443, b"https://Shop.example/", id="old port goes"),
        pytest.param(b"[::1]:80", b"/", 8443, b"https://[::1]:8443/", id="IPv6"),
        pytest.param(b"a", b"//evil.example/", 443, b"https://a//evil.example/", id="two slashes"),
        pytest.param(b"a", b"/\\evil.example", 443, b"https://a/\\evil.example", id="backslash"),
        pytest.param(b"a", b"/../%2f/?", 443, b"https://a/../%2f/?", id="bytes kept"),
        pytest.param(b"a", "/ü".encode(), 443, b"https://a/%C3%BC", id="UTF-8"),
        pytest.param(b"a", b"/\xff\x80?\xe9", 443, b"https://a/%FF%80?%E9", id="other bytes"),
        pytest.param(b"a", b"/x#y", 443, b"https://a/x%23y", id="no fragment"),
    ],
)
def test_location(host: bytes, target: bytes, port: int, location: bytes) -> None:
    """The same target, at the same host, in what may stand in a URI."""
    found = answer(host, target, port)
    assert (found.status, found.field(b"location")) == (308, location)


@pytest.mark.parametrize("host", [b"", b":80"])
def test_no_host(host: bytes) -> None:
    """Without a Host nobody can say where to go."""
    found = answer(host)
    assert (found.status, found.field(b"location")) == (400, None)


@pytest.mark.parametrize("host", [b"shop.example", b""])
@pytest.mark.parametrize("close", [False, True])
def test_framing(host: bytes, close: bool) -> None:
    """The body is short, and HEAD gets the head of the same answer."""
    found = answer(host, close=close)
    assert found.field(b"connection") == (b"close" if close else None)
    assert 0 < len(found.body) < 100
    whole = redirection(host, b"/", 443, False, close)
    assert redirection(host, b"/", 443, True, close) == whole.removesuffix(found.body)


def listening(port: int, tls: bool = True, path: str | None = None) -> Listen:
    return Listen(host="" if path else "192.0.2.1", port=port, tls=tls, path=path)


@pytest.mark.parametrize(
    ("listen", "port"),
    [
        pytest.param([listening(80, tls=False), listening(443)], 443, id="usual"),
        pytest.param([listening(80, tls=False), listening(8443)], 8443, id="another"),
        pytest.param([listening(8443), listening(443)], 443, id="both"),
        pytest.param([listening(8443), listening(9443)], 8443, id="the first"),
        pytest.param([listening(80, tls=False)], 443, id="TLS ends before us"),
        pytest.param([listening(0, path="/run/shop.sock")], 443, id="a UNIX socket has no port"),
        pytest.param([listening(0), listening(8443)], 8443, id="0 is no port"),
    ],
)
def test_https_port(listen: list[Listen], port: int) -> None:
    """443 where there is one, or nothing is known."""
    assert https_port(listen) == port
