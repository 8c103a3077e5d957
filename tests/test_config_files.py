"""Pages, certificates, keys and CA files that sorryd.ini names."""

import os
from pathlib import Path

import pytest
from tests.certificates import authority, issue

from sorryd import config, config_values
from sorryd.model import MemberTls


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with PEM files, good and bad."""
    place = tmp_path_factory.mktemp("pem")
    issuer = authority()
    chain, key = issue(issuer, ["client"])
    files = {
        "ca.pem": issuer.pem,
        "both.pem": chain + key,
        "client.pem": chain,
        "client.key": key,
        "other.key": issue(issuer, ["other"])[1],
        "turned.pem": issuer.pem + chain,
        "text.pem": b"hello",
        "broken.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place


def members(folder: Path, line: str) -> list[str]:
    """What is wrong with a file with this member."""
    file = folder / "f.ini"
    file.write_text(f"[site a]\nlisten = 127.0.0.1:80\nmembers = {line}\n")
    with pytest.raises(config.ConfigError) as caught:
        config.load(str(file))
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_a_verified_member(folder: Path) -> None:
    """An https member has its CA file, name and verification; its path is made absolute."""
    file = folder / "f.ini"
    file.write_text(
        "[site a]\nlisten = 127.0.0.1:80\nmembers =\n"
        "  https://a:3443 ca=ca.pem name=app.internal\n"
        "  https://b verify=no\n"
        "  https://[::1]\n"
        "  https://d key=client.key cert=client.pem\n"
        "  https://e/app cert=both.pem\n"
    )
    first, second, third, *shown = config.load(str(file)).sites[0].members
    assert first.tls == MemberTls(ca=str(folder / "ca.pem"), name="app.internal")
    assert second.tls == MemberTls(verify=False)
    assert (third.tls, third.host, third.port) == (MemberTls(), "::1", 443)
    assert [member.tls for member in shown] == [
        MemberTls(cert=str(folder / "client.pem"), key=str(folder / "client.key")),
        MemberTls(cert=str(folder / "both.pem")),
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none.pem", "cannot be read: No such file or directory"),
        ("text.pem", "no certificate in PEM form in it"),
        ("client.key", "no certificate in PEM form in it"),
        ("broken.pem", "no CA certificate can be read from it ("),
    ],
)
def test_a_bad_ca_file(folder: Path, name: str, why: str) -> None:
    """A CA file must hold at least one certificate."""
    (found,) = members(folder, f"https://a ca={name}")
    assert found.startswith(f"f.ini:3: [site a] members: ca={name}: {why}")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("cert=none.pem", "cert=none.pem: cannot be read: No such file or directory"),
        ("cert=client.key", "cert=client.key: no certificate in PEM form in it"),
        ("cert=client.pem", "cert=client.pem: no private key in PEM form in it "
         "(is it in another file? name that as key=)"),
        ("cert=client.pem key=client.pem", "key=client.pem: no private key in PEM form in it"),
        ("cert=client.pem key=other.key",
         "cert=other.key: its private key is not that of client.pem"),
        ("cert=turned.pem key=client.key", "cert=turned.pem: certificate 2 (leaf) is not the "
         "issuer of certificate 1 (Test authority): the site's own stands first, "
         "each one's issuer behind it"),
        ("key=client.key", "key=client.key: needs cert=, the certificate that it is for"),
    ],
)  # fmt: skip
def test_a_bad_client_certificate(folder: Path, options: str, expected: str) -> None:
    """What we would show to a member must be a certificate with its key."""
    assert members(folder, f"https://a {options}") == [f"f.ini:3: [site a] members: {expected}"]


def page_faults(path: Path) -> list[str]:
    """What is wrong with a file that names this page."""
    file = path.parent / "f.ini"
    file.write_text(
        f"[site a]\nlisten = 127.0.0.1:80\nmembers = http://a\nsorry_page = {path.name}"
    )
    with pytest.raises(config.ConfigError) as caught:
        config.load(str(file))
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"{{ nobody_sets_this }}", "line 1: "),
        (b"\n\n{% if %}", "line 3: "),
        (b"caf\xe9", "not UTF-8 at byte 3"),
    ],
)
def test_bad_pages(tmp_path: Path, page: bytes, why: str) -> None:
    """A page that could not be rendered in an outage is refused before there is one."""
    path = tmp_path / "p.html"
    path.write_bytes(page)
    (found,) = page_faults(path)
    assert found.startswith(f"{path.parent}/f.ini:4: [site a] sorry_page: {path}: {why}")


def test_a_fifo_for_a_page(tmp_path: Path) -> None:
    """A FIFO is refused rather than waited for."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert page_faults(path) == [
        f"{path.parent}/f.ini:4: [site a] sorry_page: {path}: is not a file"
    ]


def test_a_huge_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page beyond the limit is refused."""
    monkeypatch.setattr(config_values, "LARGEST_FILE", 10)
    path = tmp_path / "p.html"
    path.write_bytes(b"x" * 11)
    assert page_faults(path) == [
        f"{path.parent}/f.ini:4: [site a] sorry_page: {path}: larger than 10 bytes"
    ]
