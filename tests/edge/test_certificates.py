"""The certificates of one site: which is shown for which name, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from msgspec.structs import replace
from OpenSSL import SSL
from tests.certificates import DAY, Kind, authority, issue
from tests.edge.handshakes import NAME, ROOT, shake, showing, shown, visitor, written

from sorryd.edge.certificates import ServerNames, SiteCertificates, prints_of, site_certificates
from sorryd.edge.tls import names_of
from sorryd.model import Certificate

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

RSA = b"ECDHE-RSA-AES128-GCM-SHA256"
ECDSA = b"ECDHE-ECDSA-AES128-GCM-SHA256"


def offering(suite: bytes) -> SSL.Context:
    """A visitor that takes one kind of certificate alone."""
    context = visitor(highest=SSL.TLS1_2_VERSION)
    context.set_cipher_list(suite)
    return context


def names_shown(certificates: SiteCertificates, name: str, client: SSL.Context) -> list[str]:
    """The names of the certificate that a visitor gets who asks for `name`."""
    connection, _ = shake(client, ServerNames([((), certificates)]).default, name)
    leaf = connection.get_peer_certificate(as_cryptography=True)
    assert leaf is not None
    return names_of(leaf).spoken()


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        pytest.param("a.test", ["a.test"], id="first"),
        pytest.param("b.test", ["b.test", "*.c.test"], id="another"),
        pytest.param("B.Test", ["b.test", "*.c.test"], id="in capitals"),
        pytest.param("x.c.test", ["b.test", "*.c.test"], id="wildcard"),
        pytest.param("own.c.test", ["own.c.test"], id="the name itself before a wildcard"),
        pytest.param("x.y.c.test", ["a.test"], id="a wildcard is one label"),
        pytest.param("c.test", ["a.test"], id="a wildcard is not its parent"),
        pytest.param("nobody.test", ["a.test"], id="unknown"),
        pytest.param("10.0.0.1", ["a.test"], id="an address is no SNI"),
        pytest.param("", ["a.test"], id="no SNI"),
        pytest.param("idn-xn--bcher-kva.test", ["a.test"], id="unknown A-label"),
        pytest.param("bücher.test", ["xn--bcher-kva.test"], id="A-label"),
    ],
)
def test_choice_by_name(tmp_path: Path, asked: str, got: list[str]) -> None:
    """The certificate with the name that is asked for is shown, else the first one."""
    certificates = shown(
        tmp_path,
        issue(ROOT, ["a.test"]),
        issue(ROOT, ["b.test", "*.c.test"]),
        issue(ROOT, ["own.c.test"]),
        issue(ROOT, ["xn--bcher-kva.test"]),
        issue(ROOT, ["10.0.0.1"]),
    )
    assert names_shown(certificates, asked, visitor()) == got


@pytest.mark.parametrize(
    ("suite", "asked", "got"),
    [
        pytest.param(RSA, "a.test", ["a.test", "b.test"], id="RSA"),
        pytest.param(ECDSA, "a.test", ["a.test"], id="ECDSA"),
        pytest.param(RSA, "b.test", ["a.test", "b.test"], id="RSA alone has it"),
        pytest.param(RSA, "w.c.test", ["*.c.test"], id="RSA by its wildcard"),
        pytest.param(ECDSA, "w.c.test", ["w.c.test"], id="ECDSA by the name"),
        pytest.param(RSA, "unknown", ["a.test", "b.test"], id="RSA, unknown name"),
        pytest.param(ECDSA, "unknown", ["a.test"], id="ECDSA, unknown name"),
    ],
)
def test_kinds_together(tmp_path: Path, suite: bytes, asked: str, got: list[str]) -> None:
    """Of certificates for one name with keys of several kinds, the visitor gets what it knows."""
    certificates = shown(
        tmp_path,
        issue(ROOT, ["a.test", "b.test"], kind="rsa"),
        issue(ROOT, ["a.test"]),
        issue(ROOT, ["*.c.test"], kind="rsa"),
        issue(ROOT, ["w.c.test"]),
    )
    assert names_shown(certificates, asked, offering(suite)) == got


def test_first_of_a_kind(tmp_path: Path) -> None:
    """Of two certificates of one kind for one name, the first is shown."""
    certificates = shown(
        tmp_path, issue(ROOT, [NAME, "first.test"]), issue(ROOT, [NAME, "second.test"])
    )
    assert names_shown(certificates, NAME, visitor()) == [NAME, "first.test"]


@pytest.mark.parametrize("names", [[], ["10.0.0.1"]], ids=["no names", "an address"])
def test_without_dns_names(tmp_path: Path, names: Sequence[str]) -> None:
    """A certificate without a DNS name is shown to whom nothing else is right for."""
    certificates = shown(tmp_path, issue(ROOT, names), issue(ROOT, [NAME], kind="rsa"))
    assert names_shown(certificates, "other.test", visitor()) == names
    assert names_shown(certificates, NAME, visitor()) == [NAME]
    assert certificates.shown[0].names == tuple(names)


def test_contexts_are_shared(tmp_path: Path) -> None:
    """A certificate with many names makes one context, not one for each."""
    names = [f"{number}.test" for number in range(200)]
    certificates = shown(tmp_path, issue(ROOT, names), issue(ROOT, names, kind="rsa"))
    assert len({id(certificates.context_for(name.encode())) for name in names}) == 1


@pytest.mark.parametrize(
    "asked",
    [b"", b".", b"..", b"*.c.test", b"\xff\xfe", b"a" * 255, b"." * 255, b"x." * 127],
    ids=["empty", "dot", "dots", "star", "no ASCII", "long", "many dots", "many labels"],
)
def test_strange_names(tmp_path: Path, asked: bytes) -> None:
    """Whatever is asked for, there is something to show."""
    certificates = shown(tmp_path, issue(ROOT, [NAME]))
    assert certificates.context_for(asked) is certificates.first


def test_what_is_shown(tmp_path: Path) -> None:
    """Each certificate is told with its file, its names and its end."""
    chain, key = issue(ROOT, [NAME, "evil\n.test", "10.0.0.1"], since=NOON - DAY, until=NOON)
    (told,) = shown(tmp_path, (chain, key)).shown
    assert told.site == "shop"
    assert told.file == str(tmp_path / "shop-0.pem")
    assert told.names == (NAME, "evil?.test", "10.0.0.1")
    assert told.expires == NOON.timestamp()


@pytest.mark.parametrize(
    ("since", "until", "texts"),
    [
        pytest.param(-1, 90, [], id="good"),
        pytest.param(-1, 5, ["shop-0.pem expires in 5 days"], id="ends soon"),
        pytest.param(-9, -2, ["shop-0.pem expired 2 days ago"], id="ended"),
        pytest.param(3, 90, ["shop-0.pem is not valid for 3 days more"], id="not yet"),
    ],
)
def test_warnings(tmp_path: Path, since: int, until: int, texts: list[str]) -> None:
    """Who looks at the log learns of certificates that visitors do not take, or soon won't."""
    leaf = issue(ROOT, [NAME], since=NOON + since * DAY, until=NOON + until * DAY)
    told = shown(tmp_path, leaf).warnings(NOON.timestamp())
    assert len(told) == len(texts)
    for one, text in zip(told, texts, strict=True):
        assert one.startswith(f"{tmp_path}/{text}")


@pytest.mark.parametrize(
    ("hosts", "names", "missing"),
    [
        pytest.param([], ["a.test"], "", id="any host"),
        pytest.param(["a.test", "b.test"], ["b.test", "a.test"], "", id="all"),
        pytest.param(["a.c.test"], ["*.c.test"], "", id="by a wildcard"),
        pytest.param(["*.c.test"], ["*.c.test"], "", id="a wildcard"),
        pytest.param(["*.c.test"], ["a.c.test"], "", id="one name below a wildcard"),
        pytest.param(["10.0.0.1", "[::1]"], ["::1", "10.0.0.1"], "", id="addresses"),
        pytest.param(["b.a.c.test"], ["*.c.test"], "b.a.c.test", id="two labels"),
        pytest.param(["c.test"], ["*.c.test"], "c.test", id="not the name itself"),
        pytest.param(["a.test", "b.test", "*.c.test"], ["a.test"], "b.test, *.c.test", id="some"),
        pytest.param(["a.test"], [], "a.test", id="no names"),
    ],
)
def test_hosts_without_a_certificate(
    tmp_path: Path, hosts: list[str], names: list[str], missing: str
) -> None:
    """Visitors' programs refuse a certificate for other names: that is told when it is read."""
    chain, key = issue(ROOT, names)
    certificate = Certificate(
        chain=written(tmp_path, "a.pem", chain), key=written(tmp_path, "a.key", key)
    )
    site = replace(showing(certificate), hosts=tuple(hosts))
    told = site_certificates(site, "").warnings(datetime.now(UTC).timestamp() - 30 * 86400)
    assert [w for w in told if "no certificate" in w] == (
        [f"no certificate of this site is for {missing}"] if missing else []
    )


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_order_of_the_chain(tmp_path: Path, kind: Kind) -> None:
    """A chain whose certificates stand in a wrong order is told of, and shown all the same."""
    low = authority("Low", issuer=authority("Middle", issuer=ROOT), kind=kind)
    chain, key = issue(low, [NAME], kind=kind)
    now = datetime.now(UTC).timestamp() - 30 * 86400
    assert [w for w in shown(tmp_path, (chain, key)).warnings(now) if "issue" in w] == []
    leaf, one, two = (c.public_bytes(Encoding.PEM) for c in load_pem_x509_certificates(chain))
    certificates = shown(tmp_path, (leaf + two + one, key))
    (told,) = [w for w in certificates.warnings(now) if "issue" in w]
    assert told == f"{tmp_path}/shop-0.pem: certificate 2 in it did not issue number 1"
    assert names_shown(certificates, NAME, visitor()) == [NAME]


def test_own(tmp_path: Path) -> None:
    """One of sorryd's own is made for the hosts of the site, and renewed before it is warned of."""
    site = replace(showing(Certificate(chain="", self_signed=True)), hosts=("*.shop.test", "[::5]"))
    certificates = site_certificates(site, str(tmp_path / "var"))
    (told,) = certificates.shown
    assert told.file == str(tmp_path / "var" / "self-signed-shop.pem")
    assert {"*.shop.test", "::5", "localhost"} <= set(told.names)
    assert certificates.renew_at < told.expires
    assert certificates.warnings(certificates.renew_at) == []
    assert site_certificates(site, str(tmp_path / "var")).chains == certificates.chains


@pytest.mark.parametrize("name", ["", "*."], ids=["empty", "wildcard of nothing"])
@pytest.mark.parametrize("asked", ["", "localhost"])
def test_names_that_name_nothing(tmp_path: Path, name: str, asked: str) -> None:
    """A certificate for a name that can't be one is right for nobody."""
    certificates = shown(tmp_path, issue(ROOT, [NAME]), issue(ROOT, [name]))
    assert names_shown(certificates, asked, visitor()) == [NAME]


def test_prints(tmp_path: Path) -> None:
    """A file looks different when it was written, replaced, or its link leads elsewhere."""
    path, other, link = tmp_path / "a.pem", tmp_path / "b.pem", tmp_path / "link.pem"
    seen = []

    def look() -> None:
        seen.append(prints_of([str(link)]))

    look()
    written(tmp_path, "a.pem", b"one")
    link.symlink_to(path)
    look()
    written(tmp_path, "a.pem", b"other")
    look()
    written(tmp_path, "b.pem", b"other")
    other.replace(path)
    look()
    written(tmp_path, "c.pem", b"other")
    link.unlink()
    link.symlink_to(tmp_path / "c.pem")
    look()
    assert all(one != another for at, one in enumerate(seen) for another in seen[:at])
    assert prints_of([str(link)]) == seen[-1]
    assert prints_of(["\0"]) == {"\0": ()}
