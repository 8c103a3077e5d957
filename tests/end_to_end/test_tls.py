"""TLS on both sides of a real sorryd: what visitors are shown, and whom members must be."""

from __future__ import annotations

import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.members import Conversation, Member, saying, server_side
from tests.end_to_end.wire import answer, anybody, request, visitor

ROOT = authority()
NAME = "shop.example"
DAY = timedelta(days=1)


def trusting(*versions: ssl.TLSVersion) -> ssl.SSLContext:
    """A visitor that trusts ROOT alone, and speaks no other version than the one given."""
    context = ssl.create_default_context(cadata=ROOT.pem.decode())
    for version in versions:
        context.minimum_version = context.maximum_version = version
    return context


def get(port: int, tls: ssl.SSLContext, name: str = NAME) -> bytes:
    """The body of one answer."""
    with visitor(port, tls, name) as wire:
        wire.send(request())
        return wire.answer().body


# --- visitors -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, line_of_workers: str) -> Iterator[Daemon]:
    """Sites that differ in what they show: `chain`, `rsa`, `strict` (1.3), `own` (self-signed)."""
    folder = tmp_path_factory.mktemp("tls")
    middle = authority("Test intermediate", issuer=ROOT)
    chain, key = issue(middle, [NAME])
    (folder / "chain.pem").write_bytes(chain)
    (folder / "chain.key").write_bytes(key)
    (folder / "rsa.pem").write_bytes(b"".join(reversed(issue(ROOT, [NAME], kind="rsa"))))
    listen = "127.0.0.1:0 tls"
    with Member(saying(b"hello")) as member:
        ini = configuration(
            [member.url], site="chain", listen=listen,
            certificate="chain.pem", private_key="chain.key", timeout_header="1s",
            daemon=line_of_workers,
        )  # fmt: skip
        ini += section("rsa", [member.url], listen=listen, certificate="rsa.pem")
        ini += section("strict", [member.url], listen=listen, certificate="rsa.pem", tls_min="1.3")
        ini += section("own", [member.url], listen=listen, certificate="self-signed")
        with Daemon(folder, ini) as daemon:
            yield daemon


@pytest.mark.parametrize("site", ["chain", "rsa"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_visitor_can_verify_the_site(serving: Daemon, site: str, version: ssl.TLSVersion) -> None:
    """Leaf and intermediate are shown, in TLS 1.2 and 1.3; ECDSA and RSA; key apart or not."""
    assert get(serving.port(site, "https"), trusting(version)) == b"hello"


def test_tls_min_is_obeyed(serving: Daemon) -> None:
    """A site that asks for 1.3 refuses 1.2, and speaks 1.3."""
    port = serving.port("strict", "https")
    with pytest.raises(ssl.SSLError):
        get(port, trusting(ssl.TLSVersion.TLSv1_2))
    assert get(port, trusting(ssl.TLSVersion.TLSv1_3)) == b"hello"


def test_http_1_1_is_chosen_by_alpn(serving: Daemon) -> None:
    """Whatever else a visitor offers; one that offers only others is refused."""
    port = serving.port("chain", "https")
    context = trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with visitor(port, context) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        assert wire.socket.selected_alpn_protocol() == "http/1.1"
    context.set_alpn_protocols(["h2"])
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        get(port, context)


def test_a_session_is_resumed(serving: Daemon) -> None:
    """A visitor that comes again, to the same process, saves the exchange of certificates."""
    port, context = serving.port("chain", "https"), trusting(ssl.TLSVersion.TLSv1_2)
    with visitor(port, context) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        session = wire.socket.session

    def is_resumed() -> bool:
        plain = socket.create_connection(("127.0.0.1", port))
        with context.wrap_socket(plain, server_hostname=NAME, session=session) as again:
            return bool(again.session_reused)

    assert any(is_resumed() for _ in range(1 if serving.edges == 1 else 50))


def test_a_certificate_of_its_own_is_made_once(tmp_path: Path) -> None:
    """self-signed: made at the first start, its key for nobody else, and kept after that."""
    listen = "127.0.0.1:0 tls"
    ini = configuration(["http://127.0.0.1:9"], listen=listen, certificate="self-signed")
    daemon = Daemon(tmp_path, ini)
    shown = []
    for _ in range(2):
        with daemon:
            shown.append(ssl.get_server_certificate(("127.0.0.1", daemon.port(scheme="https"))))
    assert shown[0] == shown[1]
    (key,) = tmp_path.glob("self-signed*.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", id="plain HTTP"),
        pytest.param(b"\x16\x03\x01\x00\x05hello", id="a broken handshake"),
        pytest.param(b"\x00" * 300, id="zeros"),
    ],
)
def test_junk_on_a_tls_port_ends_the_connection(serving: Daemon, junk: bytes) -> None:
    """Whoever does not speak TLS is let go, with an alert at the most."""
    port = serving.port("chain", "https")
    with visitor(port) as wire:
        wire.send(junk)
        with suppress(ConnectionResetError):
            assert b"hello" not in wire.until_end()
    assert get(port, trusting()) == b"hello"
    serving.assert_clean()


def test_a_handshake_has_its_time(serving: Daemon) -> None:
    """One that is not over within timeout_header is cut."""
    with visitor(serving.port("chain", "https")) as wire:
        wire.send(b"\x16\x03\x01\x02")
        with suppress(ConnectionResetError):
            assert wire.until_end() == b""


# --- members --------------------------------------------------------------------------------

TRUSTED = "ca=root.pem name=app.internal"


def no_tls(conversation: Conversation) -> None:
    """What a plain server makes of a handshake."""
    conversation.more()
    conversation.send(answer(b"what?", status=400))


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Sites whose members are good or bad; all but `mixed` have one member."""
    folder = tmp_path_factory.mktemp("members")
    (folder / "root.pem").write_bytes(ROOT.pem)
    now = datetime.now(UTC)
    kinds = {
        "good": issue(ROOT, ["app.internal"]),
        "address": issue(ROOT, ["127.0.0.1"]),
        "misnamed": issue(ROOT, ["other.internal"]),
        "unknown": issue(authority("Somebody else"), ["app.internal"]),
        "expired": issue(ROOT, ["app.internal"], since=now - 3 * DAY, until=now - DAY),
    }
    with ExitStack() as stack:
        members = {
            kind: stack.enter_context(
                Member(saying(kind.encode()), tls=server_side(folder, *certificate))
            )
            for kind, certificate in kinds.items()
        }
        plain = stack.enter_context(Member(no_tls))
        secure = {kind: member.url for kind, member in members.items()}
        sites = {kind: f"{url} {TRUSTED}" for kind, url in secure.items()}
        sites["address"] = f"{secure['address']} ca=root.pem"
        sites["system"] = f"{secure['address']}"
        sites["unverified"] = f"{secure['expired']} verify=no"
        sites["plain"] = f"{plain.url.replace('http', 'https')} {TRUSTED}"
        sites["mixed"] = f"{secure['misnamed']} {TRUSTED}\n    {sites['good']}"
        ini = configuration([sites.pop("good")], site="good")
        for site, member in sites.items():
            ini += section(site, [member], listen="127.0.0.1:0")
        environment = {"SSL_CERT_FILE": str(folder / "root.pem")}
        yield stack.enter_context(Daemon(folder, ini, environment=environment))


@pytest.mark.parametrize(
    ("site", "body"),
    [
        pytest.param("good", b"good", id="the name that name= asks for"),
        pytest.param("address", b"address", id="the address of the URL"),
        pytest.param("system", b"address", id="an authority of the system"),
        pytest.param("unverified", b"expired", id="anybody, with verify=no"),
        pytest.param("mixed", b"good", id="the next one, where the first is wrong"),
    ],
)
def test_a_member_that_can_be_trusted_is_asked(asking: Daemon, site: str, body: bytes) -> None:
    """Its certificate leads to a trusted authority and is for its name."""
    for _ in range(3):
        with visitor(asking.port(site)) as wire:
            wire.send(request())
            reply = wire.answer()
        assert (reply.status, reply.body) == (200, body)


@pytest.mark.parametrize(
    ("site", "why"),
    [
        ("misnamed", "its certificate is for other.internal, not for app.internal"),
        ("unknown", "its certificate's issuer is unknown"),
        ("expired", "its certificate has expired"),
        ("plain", "TLS handshake failed"),
    ],
)
def test_a_member_that_can_not_be_trusted_is_not_asked(asking: Daemon, site: str, why: str) -> None:
    """Its visitor gets the apology, and the log the reason; the member gets no request."""
    with visitor(asking.port(site)) as wire:
        wire.send(request())
        reply = wire.answer()
    assert (reply.status, reply.one("Sorry-Cause")) == (503, b"members")
    asking.wait_for_log(f"site {site}: .*{why}")
    asking.assert_clean()


def test_a_member_that_is_not_verified_is_warned_of(asking: Daemon) -> None:
    """verify=no is said at the start, with the member's URL."""
    asking.wait_for_log(r"#warn\] member https://127\.0\.0\.1:\d+: verify=no")


def test_the_member_is_asked_by_its_name(tmp_path: Path) -> None:
    """SNI carries name=, so that a member can choose its certificate."""
    context = server_side(tmp_path, *issue(ROOT, ["app.internal"]))
    names: list[str | None] = []
    context.sni_callback = lambda connection, name, _: names.append(name)
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    with (
        Member(saying(b"hello"), tls=context) as member,
        Daemon(tmp_path, configuration([f"{member.url} {TRUSTED}"])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        wire.send(request())
        assert wire.answer().body == b"hello"
    assert names == ["app.internal"]


def test_a_member_that_never_ends_its_handshake(tmp_path: Path) -> None:
    """It has timeout_connect for it; its visitor gets the apology, or the next member."""

    def silent(conversation: Conversation) -> None:
        conversation.until_end()

    with Member(silent) as dumb, Member(saying(b"next")) as good:
        (tmp_path / "root.pem").write_bytes(ROOT.pem)
        urls = [f"{dumb.url.replace('http', 'https')} {TRUSTED}", good.url]
        with (
            Daemon(tmp_path, configuration(urls, timeout_connect="0.5s")) as daemon,
            visitor(daemon.port(), None) as wire,
        ):
            for _ in range(2):
                wire.send(request())
                assert wire.answer().body == b"next"
            daemon.wait_for_log("no connection within 0.5 s")


def test_tls_visitors_in_plain_sight(serving: Daemon) -> None:
    """Somebody who trusts anybody gets the site with its own certificate."""
    assert get(serving.port("own", "https"), anybody()) == b"hello"
