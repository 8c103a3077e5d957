"""curl as a visitor of a real sorryd over TLS: certificates by name and kind, 421, to https."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.members import Member, serving
from tests.end_to_end.programs import Fetched, curl, needs
from tests.end_to_end.wire import Message, answer

pytestmark = needs("curl")

ROOT = authority()


def told(request: Message) -> bytes:
    """What was asked of whom, and with which body."""
    return answer(b" ".join([request.first, request.one("Host") or b"", request.body]))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """`shop` and `blog` at one address, which is a UNIX socket; `moved` sends all to https."""
    folder = tmp_path_factory.mktemp("street")
    (folder / "ca.pem").write_bytes(ROOT.pem)
    middle = authority("Test intermediate", issuer=ROOT)
    names = ["shop.example", "*.shop.example"]
    (folder / "shop.pem").write_bytes(b"".join(issue(middle, names)))
    (folder / "shop-rsa.pem").write_bytes(b"".join(issue(middle, names, kind="rsa")))
    (folder / "blog.pem").write_bytes(b"".join(issue(ROOT, ["blog.example"])))
    with ExitStack() as entered:
        member = entered.enter_context(Member(serving(told)))
        ini = configuration(
            [member.url], listen="unix:street.sock tls", hosts="shop.example, *.shop.example",
            certificate="\n    shop.pem\n    shop-rsa.pem",
        )  # fmt: skip
        ini += section(
            "blog", [f"{member.url}/blog"], listen="unix:street.sock tls", hosts="blog.example",
            certificate="blog.pem",
        )  # fmt: skip
        ini += section(
            "moved", [member.url], listen="127.0.0.1:0, 127.0.0.1:0 tls", redirect_https="yes",
            certificate="shop.pem",
        )  # fmt: skip
        yield entered.enter_context(Daemon(folder, ini))


def fetch(street: Daemon, url: str, *options: str) -> Fetched:
    """What curl gets at the address of both, if it can verify who answers."""
    folder = street.folder
    where = ("--cacert", str(folder / "ca.pem"), "--unix-socket", str(folder / "street.sock"))
    return curl(*where, *options, url)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop.example", b"GET /a HTTP/1.1 shop.example "),
        ("www.shop.example", b"GET /a HTTP/1.1 www.shop.example "),
        ("blog.example", b"GET /blog/a HTTP/1.1 blog.example "),
    ],
)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_names(street: Daemon, name: str, said: bytes, version: str) -> None:
    """Each name has its certificate, which curl verifies, and its site."""
    got = fetch(street, f"https://{name}/a", f"--tlsv{version}", "--tls-max", version)
    assert (got.exit, got.body) == (0, said)


@pytest.mark.parametrize("name", ["other.example", "example", "www.blog.example"])
def test_another_name(street: Daemon, name: str) -> None:
    """A name of nobody here gets the first site's certificate, and curl goes no further."""
    assert fetch(street, f"https://{name}/a").exit == 60


@pytest.mark.parametrize("kind", ["RSA", "ECDSA"])
def test_kinds(street: Daemon, kind: str) -> None:
    """Who can only use one kind of certificate is shown that."""
    only = ("--tls-max", "1.2", "--ciphers", f"ECDHE-{kind}-AES128-GCM-SHA256")
    got = fetch(street, "https://shop.example/a", *only, "--write-out", "\n%{certs}")
    assert got.exit == 0
    algorithm = {"RSA": b"rsaEncryption", "ECDSA": b"id-ecPublicKey"}[kind]
    leaf = got.body.partition(b"-----END CERTIFICATE-----")[0]
    assert b"Public Key Algorithm:" + algorithm in leaf
    assert b"Issuer:CN = Test intermediate" in leaf


def test_misdirected(street: Daemon) -> None:
    """The other site's host under this one's name: 421, and curl may go on."""
    got = fetch(street, "https://shop.example/a", "--header", "Host: blog.example")
    assert (got.exit, got.status) == (0, 421)
    got = fetch(street, "https://shop.example/a", "--header", "Host: a.shop.example")
    assert got.body == b"GET /a HTTP/1.1 a.shop.example "


def test_http_2_is_not_spoken(street: Daemon) -> None:
    """curl offers h2 too, and takes what it gets."""
    got = fetch(street, "https://shop.example/a", "--http2", "--write-out", " %{http_version}")
    assert got.body == b"GET /a HTTP/1.1 shop.example  1.1"


def test_old_tls(street: Daemon) -> None:
    """Nothing below 1.2."""
    old = ("--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")
    assert fetch(street, "https://shop.example/a", *old).exit == 35


def test_to_https(street: Daemon) -> None:
    """curl follows, and brings method, target and body along."""
    plain, tls = street.port("moved"), street.port("moved", "https")
    ways = (
        "--connect-to", f"shop.example:80:127.0.0.1:{plain}",
        "--connect-to", f"shop.example:443:127.0.0.1:{tls}", "--cacert", "ca.pem",
    )  # fmt: skip
    body = ("--request", "PUT", "--data", "a=b", "--location", "--path-as-is")
    got = curl(*ways, *body, "http://shop.example/../x%2f?y", folder=street.folder)
    assert [head.status for head in got.heads] == [308, 200]
    assert got.body == b"PUT /../x%2f?y HTTP/1.1 shop.example a=b"
