"""curl and netcat as visitors of a real sorryd, over plain connections."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.members import Member, saying, serving
from tests.end_to_end.programs import ENVIRONMENT, Fetched, curl, needs
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Message, answer

pytestmark = needs("curl")


def echo(request: Message) -> bytes:
    """The body that was sent; to HEAD only how long `hello` would be."""
    if request.method == b"HEAD":
        return answer(b"", b"Content-Length: 5", length=False)
    return answer(request.body or b"hello")


class Shop:
    """A daemon, and the member that echoes."""

    def __init__(self, daemon: Daemon, member: Member) -> None:
        self.daemon = daemon
        self.member = member

    def fetch(self, path: str, *options: str, site: str = "shop", send: bytes = b"") -> Fetched:
        """What curl gets of a site."""
        self.member.requests.clear()
        return curl(*options, f"http://127.0.0.1:{self.daemon.port(site)}{path}", send=send)

    def seen(self) -> Message:
        """The only request that the member got since."""
        (request,) = self.member.requests
        return request


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Sites that all lead to the member, and `sticky`, which leads to two others."""
    with ExitStack() as entered:
        member, one, two = (
            entered.enter_context(Member(script))
            for script in (serving(echo), saying(b"one"), saying(b"two"))
        )
        ini = configuration(
            [member.url], listen="127.0.0.1:0, unix:shop.sock", daemon="access_log = access.log"
        )
        ini += section(
            "proxied", [member.url], listen="127.0.0.1:0 proxy", trusted_proxies="127.0.0.7"
        )
        ini += section(
            "sticky", [one.url, two.url], listen="127.0.0.1:0", balance="sticky", retry_after="1s"
        )
        daemon = entered.enter_context(Daemon(tmp_path_factory.mktemp("curl"), ini))
        yield Shop(daemon, member)


@pytest.mark.parametrize(
    "target",
    [
        "/a/../b/./c", "//a//b/", "/%2f%2F%00%zz", "/?", "/?a=b?c&d=/../e", "/a;b=c,d",
        "/\"<>\\^`{|}", "/" + "long/" * 1500,
    ],
)  # fmt: skip
def test_targets(shop: Shop, target: str) -> None:
    """Byte for byte as curl sends them."""
    assert shop.fetch(target, "--path-as-is", "--globoff").status == 200
    assert shop.seen().target == target.encode()


def test_a_target_in_raw_utf_8(shop: Shop) -> None:
    """As some programs send it: curl itself would encode it."""
    assert shop.fetch("/", "--request-target", "/ü/あ?ö").status == 200
    assert shop.seen().target == "/ü/あ?ö".encode()


def test_http_1_0(shop: Shop) -> None:
    """Answered as such, in the member's 1.1, with a body and without."""
    got = shop.fetch("/a", "--http1.0", "--data", "a=b")
    assert (got.exit, got.status, got.body) == (0, 200, b"a=b")
    assert shop.seen().first == b"POST /a HTTP/1.1"
    assert shop.fetch("/a", "--http1.0", "--head").head.one("Content-Length") == b"5"


def test_head_keeps_the_connection(shop: Shop) -> None:
    """HEAD and GET in turn, on one connection."""
    url = f"http://127.0.0.1:{shop.daemon.port()}/b"
    got = shop.fetch("/a", "--head", url, "--write-out", "%{stderr}%{num_connects} ")
    assert (got.exit, len(shop.member.requests)) == (0, 2)
    assert got.heads[-1].first == b"0 "


def test_curl_takes_it_for_a_forward_proxy(shop: Shop) -> None:
    """The absolute form of this site is served; CONNECT is not, so https ends there."""
    proxy = ("--proxy", f"http://127.0.0.1:{shop.daemon.port()}")
    got = curl(*proxy, "http://shop.example/a?b")
    assert (got.status, got.body) == (200, b"hello")
    seen = shop.member.requests[-1]
    assert (seen.target, seen.one("Host")) == (b"/a?b", b"shop.example")
    assert seen.one("Proxy-Connection") is None
    refused = curl(*proxy, "https://shop.example/")
    assert (refused.exit, refused.status) == (56, 405)


def test_http_2_is_offered_in_vain(shop: Shop) -> None:
    """An upgrade is passed over, and the member hears nothing of it; a preface is refused."""
    got = shop.fetch("/a", "--http2")
    assert (got.head.first, got.body) == (b"HTTP/1.1 200 Said", b"hello")
    seen = shop.seen()
    for name in ("Upgrade", "HTTP2-Settings", "Connection"):
        assert seen.one(name) is None
    assert shop.fetch("/a", "--http2-prior-knowledge").exit != 0
    assert not shop.member.requests


def test_a_head_too_large(shop: Shop) -> None:
    """Said while it is still being sent."""
    lines = [word for number in range(60) for word in ("--header", f"X-{number}: {'x' * 1000}")]
    assert shop.fetch("/a", *lines).status == 431
    assert shop.fetch("/" + "x" * 40000).status == 414
    assert not shop.member.requests


def test_unix_socket(shop: Shop) -> None:
    """A visitor of this machine."""
    path = shop.daemon.folder / "shop.sock"
    assert shop.fetch("/a", "--unix-socket", str(path)).body == b"hello"
    assert shop.seen().one("X-Forwarded-For") is None


def test_proxy_protocol(shop: Shop) -> None:
    """curl can say by it who it is; without it, or from elsewhere, nobody gets in."""
    from_proxy = ("--interface", "127.0.0.7")
    got = shop.fetch("/a", "--haproxy-protocol", *from_proxy, site="proxied")
    assert got.body == b"hello"
    assert shop.seen().one("X-Forwarded-For") == b"127.0.0.7"
    for options in (from_proxy, ("--haproxy-protocol",)):
        assert shop.fetch("/a", *options, site="proxied").exit in (52, 55, 56)
    assert not shop.member.requests


def test_sticky(shop: Shop, tmp_path: Path) -> None:
    """curl keeps the cookie, and so its member; who keeps none goes round."""
    jar = str(tmp_path / "jar")
    bodies = [
        shop.fetch("/a/b", "--cookie", jar, "--cookie-jar", jar, site="sticky").body
        for _ in range(4)
    ]
    assert bodies in ([b"one"] * 4, [b"two"] * 4)
    round_robin = {shop.fetch("/a/b", site="sticky").body for _ in range(2)}
    assert round_robin == {b"one", b"two"}


def test_maintenance(shop: Shop) -> None:
    """A script's curl fails, unless it may try again: then it waits as long as it is told."""
    shop.daemon.ask("site.down", {"site": "sticky"})
    failed = shop.fetch("/", "--fail", site="sticky")
    assert (failed.exit, failed.status, failed.body) == (22, 503, b"")
    posted = shop.fetch("/", "--data-binary", "@-", site="sticky", send=b"x" * 2_000_000)
    assert (posted.exit, posted.status) == (0, 503)
    log = shop.daemon.folder / "access.log"
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(shop.fetch, "/waits", "--retry", "9", site="sticky")
        until(lambda: "/waits" in log.read_text(), "curl's first try")
        shop.daemon.ask("site.up", {"site": "sticky"})
        waited = waiting.result()
    assert waited.exit == 0
    assert [head.status for head in waited.heads[-2:]] == [503, 200]
    assert waited.heads[0].one("Retry-After") == b"1"


@needs("nc")
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_half_closed(shop: Shop, version: str) -> None:
    """netcat sends its FIN right behind the request, and gets the whole answer."""
    body = b"x" * 1_000_000
    shop.member.requests.clear()
    done = subprocess.run(
        ["nc", "-N", "-w", f"{PATIENCE:.0f}", "127.0.0.1", str(shop.daemon.port())],
        input=b"POST /a HTTP/%b\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
        % (version.encode(), len(body), body),
        capture_output=True, timeout=2 * PATIENCE, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert shop.seen().body == body
    assert done.stdout.startswith(b"HTTP/1.1 200 ")
    assert done.stdout.endswith(b"\r\n\r\n" + body)
