"""How visitors come in: TLS, the PROXY protocol, and no place."""

from __future__ import annotations

import contextlib
import http.client
import select
import ssl
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from tests.certificates import authority, issue
from tests.edge.proxy_headers import BLOCK, LINE, block
from tests.edge.town import Town, asked, port_of, site
from twisted.logger import capturedLogs

from sorryd.edge.certificates import SiteCertificates, site_certificates
from sorryd.edge.descriptors import TOLD
from sorryd.edge.turned_away import FULL, MOST
from sorryd.model import Certificate, Site

ROOT = authority()
HEADERS = [
    pytest.param(LINE, id="v1"),
    pytest.param(b"PROXY UNKNOWN\r\n", id="v1 UNKNOWN"),
    pytest.param(BLOCK, id="v2"),
    pytest.param(block(0x20, 0x00, b""), id="v2 LOCAL"),
]


def trusting(root: bytes = ROOT.pem) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=root.decode())


def secured(folder: Path, name: str, *hosts: str, **fields: object) -> Site:
    """A site with a certificate for its hosts, the one of an earlier call with this name."""
    chain, key = (folder / f"{name}.pem", folder / f"{name}.key")
    if not chain.exists():
        for path, pem in zip((chain, key), issue(ROOT, hosts), strict=True):
            path.write_bytes(pem)
    shown = Certificate(chain=str(chain), key=str(key))
    return site(name, *hosts, certificates=(shown,), **fields)


def shown(*sites: Site) -> Mapping[str, SiteCertificates]:
    return {one.name: site_certificates(one, "/nowhere") for one in sites}


def lines(logs: Sequence[Mapping[str, object]]) -> list[str]:
    """What was warned of."""
    return [str(log["log_format"]).format(**log) for log in logs]


# --- TLS --------------------------------------------------------------------------------


def test_server_names(town: Town, tmp_path: Path) -> None:
    """Each name finds its own certificate and site; on a connection for another's: 421."""
    sites = (
        secured(tmp_path, "shop", "shop.example", "*.shop.example"),
        secured(tmp_path, "blog", "blog.example"),
    )
    town.publish(*sites)
    bound = town.bound("shop", "blog", tls=True)
    town.open(bound, certificates=shown(*sites))
    assert {(one.site, one.names) for one in town.edge.shown()} == {
        ("shop", ("shop.example", "*.shop.example")),
        ("blog", ("blog.example",)),
    }
    for name, found in (("blog.example", "blog"), ("www.shop.example", "shop")):
        assert town.asks(bound, name, tls=trusting(), name=name) == found
    assert town.asks(bound, "shop.example", tls=trusting(), name="blog.example") == "421"
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    assert town.asks(bound, "blog.example", tls=anybody) == "blog"
    assert town.asks(bound, "blog.example", tls=anybody, name="origin.test") == "blog"


def test_show(town: Town, tmp_path: Path) -> None:
    """New certificates are for those who come; those who are there go on with theirs."""
    shop = secured(tmp_path, "shop", "shop.example")
    town.publish(shop)
    bound = town.bound("shop", tls=True)
    town.open(bound, certificates=shown(shop))
    seen = []
    with contextlib.ExitStack() as stack:
        for renewed in (False, True):
            if renewed:
                (tmp_path / "shop.pem").unlink()
                town.edge.show(shown(secured(tmp_path, "shop", "shop.example")))
            plain = stack.enter_context(town.visitor(bound))
            wire = stack.enter_context(
                town.meanwhile(
                    partial(trusting().wrap_socket, plain, server_hostname="shop.example")
                )
            )
            seen.append((wire, wire.getpeercert(binary_form=True)))
        assert seen[0][1] != seen[1][1]
        for wire, _ in seen:
            assert town.meanwhile(partial(asked, wire, "shop.example")) == "shop"


# --- the PROXY protocol -----------------------------------------------------------------


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("tls", [False, True])
def test_proxy(town: Town, tmp_path: Path, header: bytes, tls: bool) -> None:
    """A header, then what there would be without it: a request, or TLS."""
    shop = secured(tmp_path, "shop", "shop.example", trusted_proxies=("127.0.0.1/32",))
    town.publish(shop)
    bound = town.bound("shop", tls=tls, proxy=True)
    town.open(bound, certificates=shown(shop))
    context = trusting() if tls else None
    assert town.asks(bound, before=header, tls=context, name="shop.example") == "shop"


def test_addresses(town: Town) -> None:
    """The visitor is the one that the header tells of; without one, who connected."""
    town.publish(site("shop", trusted_proxies=("127.0.0.1/32", "unix")))
    bound = town.bound("shop", proxy=True)
    town.open(bound)
    for header, address in ((LINE, "192.0.2.9"), (b"PROXY UNKNOWN\r\n", "127.0.0.1")):
        with town.visitor(bound) as wire:
            wire.sendall(header)
            assert town.meanwhile(partial(asked, wire, "")) == "shop"
            (visitor,) = town.edge._sites["shop"].visitors
            assert visitor._address == address  # type: ignore[attr-defined]
        town.loop.until(lambda: not town.edge._sites["shop"].visitors)


def test_stranger(town: Town) -> None:
    """Who is not trusted may not say for whom it comes: closed, and told of seldom."""
    town.publish(site("shop", trusted_proxies=("192.0.2.0/24", "unix")))
    bound = town.bound("shop", proxy=True)
    town.open(bound)
    with capturedLogs() as logs:
        for times in (3, 1):
            for _ in range(times):
                with town.visitor(bound) as wire:
                    assert town.meanwhile(partial(wire.recv, 1)) == b""
            town.passes(TOLD)
    assert lines(logs) == 2 * [
        f"127.0.0.1:{port_of(bound)}: 127.0.0.1 can't bring visitors by the PROXY protocol: "
        "it is not among trusted_proxies"
    ]
    assert not town.edge._visitors()


@pytest.mark.parametrize("trusted", [True, False])
def test_proxy_by_unix_socket(town: Town, tmp_path: Path, trusted: bool) -> None:
    """The word unix trusts whoever can connect to a UNIX socket."""
    town.publish(site("shop", trusted_proxies=("127.0.0.1", "unix")[: 1 + trusted]))
    bound = town.bound("shop", proxy=True, path=str(tmp_path / "shop.sock"))
    town.open(bound)
    if trusted:
        assert town.asks(bound, before=LINE) == "shop"
        return
    with town.visitor(bound) as wire, capturedLogs() as logs:
        assert town.meanwhile(lambda: wire.recv(1)) == b""
    assert "a UNIX socket's peer can't" in lines(logs)[0]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", ["it does not begin with the PROXY protocol"]),
        (b"PROXY TCP4", ["its header did not come in time"]),
    ],
)
def test_bad_header(town: Town, said: bytes, why: list[str]) -> None:
    """What is no header, or is none in time, ends the connection, with a line in the log."""
    town.publish(site("shop", trusted_proxies=("127.0.0.1",)))
    bound = town.bound("shop", proxy=True)
    town.open(bound)
    with town.visitor(bound) as wire, capturedLogs() as logs:
        wire.sendall(said)
        town.loop.until(lambda: town.edge._lobby.count() or logs)
        town.passes(6.0)
        with contextlib.suppress(ConnectionResetError):
            assert town.meanwhile(lambda: wire.recv(1)) == b""
    assert [line.partition("protocol: ")[2] for line in lines(logs)] == why
    assert not town.edge._lobby.count()


# --- no place ---------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
def test_full(town: Town, tmp_path: Path, tls: bool) -> None:
    """A client that sends its whole request before it listens learns that there is no place."""
    shop = secured(tmp_path, "shop", "127.0.0.1", max_connections=1)
    town.publish(shop)
    bound = town.bound("shop", tls=tls)
    town.open(bound, certificates=shown(shop))

    def post() -> tuple[int, str | None]:
        place = "127.0.0.1", port_of(bound)
        client = http.client.HTTPConnection(*place, timeout=10)
        if tls:
            client = http.client.HTTPSConnection(*place, timeout=10, context=trusting())

        def body() -> Iterator[bytes]:
            assert select.select([client.sock], [], [], 10)[0]  # the answer is there already
            yield from 20 * [b"x" * 1_000_000]  # more than any buffer holds

        with contextlib.closing(client):
            client.request("POST", "/", body=body(), headers={"Content-Length": "20000000"})
            answer = client.getresponse()
            return answer.status, answer.getheader("Retry-After")

    with town.visitor(bound):
        town.loop.until(town.edge._visitors)
        with capturedLogs() as logs:
            assert [town.meanwhile(post) for _ in range(2)] == 2 * [(503, "1")]
        assert lines(logs) == [
            f"127.0.0.1:{port_of(bound)}: site shop is full (max_connections = 1): "
            "visitors are turned away"
        ]
        town.loop.until(lambda: town.edge._lobby.count() == 1)
    town.loop.until(lambda: not town.edge._visitors())
    context = trusting() if tls else None
    assert town.asks(bound, tls=context, name="127.0.0.1") == "shop"


def test_too_many_to_be_polite(town: Town) -> None:
    """So many are turned away politely at once; others are told, and cut off."""
    town.publish(site("shop", max_connections=1))
    bound = town.bound("shop")
    town.open(bound)
    with contextlib.ExitStack() as stack:
        stack.enter_context(town.visitor(bound))
        town.loop.until(town.edge._visitors)
        for _ in range(MOST):
            stack.enter_context(town.visitor(bound))
        town.loop.until(lambda: town.edge._lobby.count() == 1 + MOST)
        last = stack.enter_context(town.visitor(bound))
        assert town.meanwhile(lambda: last.recv(65536)) == FULL
        assert town.meanwhile(lambda: last.recv(1)) == b""
        assert town.edge._lobby.count() == 1 + MOST
        town.passes(6.0)  # they all say nothing
        town.loop.until(lambda: not town.edge._lobby.count())
