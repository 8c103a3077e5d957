"""The certificate of sorryd's own: made at first start, kept, and mended."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from tests.certificates import issue
from tests.edge.handshakes import NAME, ROOT, serving, shake_with_python, written

from sorryd.edge.self_signed import self_signed
from sorryd.edge.tls import TlsFault, read_pair

START = 1795280400.0
CHAIN, KEY = issue(ROOT, [NAME])


def shown_names(chain: str) -> set[str]:
    leaf = x509.load_pem_x509_certificate(Path(chain).read_bytes())
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in found}


def test_self_signed_names(tmp_path: Path) -> None:
    """It is for the names asked for and the machine itself, never for "any address".

    A machine's own name may be one that no certificate can have.
    """
    names = ["0.0.0.0", "::", "", "192.0.2.7", "*.shop.example", "machine à café"]
    chain, _ = self_signed(str(tmp_path / "var"), names)
    assert shown_names(chain) == {"192.0.2.7", "*.shop.example", "localhost", "127.0.0.1", "::1"}


def test_self_signed_key_is_private(tmp_path: Path) -> None:
    """Its key is for its owner alone, whatever the umask, and no draft is left behind."""
    before = os.umask(0)
    try:
        chain, key = self_signed(str(tmp_path), [])
    finally:
        os.umask(before)
    assert Path(key).stat().st_mode & 0o777 == 0o600
    assert Path(chain).stat().st_mode & 0o777 == 0o644
    assert sorted(os.listdir(tmp_path)) == ["self-signed.key", "self-signed.pem"]


def test_self_signed_is_trusted_as_shown(tmp_path: Path) -> None:
    """A strict client that is given the certificate accepts it."""
    chain, key = self_signed(str(tmp_path), [])
    context = ssl.create_default_context(cafile=chain)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server = serving(tmp_path, Path(chain).read_bytes(), Path(key).read_bytes())
    assert shake_with_python(context, server, "127.0.0.1").version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("names", "later", "kept"),
    [
        pytest.param(["a.test", "b.test"], 0, True, id="at once"),
        pytest.param(["b.test", "a.test", "0.0.0.0"], 86400, True, id="the same names"),
        pytest.param(["a.test"], 0, False, id="other names"),
        pytest.param(["a.test", "b.test"], 769.9 * 86400, True, id="over 30 days left"),
        pytest.param(["a.test", "b.test"], 770.1 * 86400, False, id="less than 30 days left"),
        pytest.param(["a.test", "b.test"], 900 * 86400, False, id="expired"),
        pytest.param(["a.test", "b.test"], -7200, False, id="not valid yet"),
    ],
)
def test_self_signed_kept(tmp_path: Path, names: list[str], later: float, kept: bool) -> None:
    """At the next start it is the same one, while it is good for the same names."""
    chain, _ = self_signed(str(tmp_path), ["a.test", "b.test"], now=START)
    before = Path(chain).read_bytes()
    assert self_signed(str(tmp_path), names, now=START + later)[0] == chain
    assert (Path(chain).read_bytes() == before) is kept


@pytest.mark.parametrize("file", ["self-signed.pem", "self-signed.key"])
@pytest.mark.parametrize(
    "content", [b"", b"junk", KEY, CHAIN], ids=["empty", "junk", "key", "leaf"]
)
def test_self_signed_mended(tmp_path: Path, file: str, content: bytes) -> None:
    """Whatever a crash or a hand left there, what comes back is a pair that serves."""
    self_signed(str(tmp_path), [])
    written(tmp_path, file, content)
    read_pair(*self_signed(str(tmp_path), []))


def test_self_signed_crash_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash after the key was written, before the certificate, is mended at the next start."""
    self_signed(str(tmp_path), [], now=START)
    replace = os.replace

    def crash(source: str, target: str) -> None:
        if target.endswith(".pem"):
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            self_signed(str(tmp_path), ["other.test"])
    assert sorted(os.listdir(tmp_path)) == ["self-signed.key", "self-signed.pem"]
    read_pair(*self_signed(str(tmp_path), []))


def test_self_signed_stems(tmp_path: Path) -> None:
    """Two certificates with two stems live in one folder without replacing each other."""
    first, _ = self_signed(str(tmp_path), ["a.test"], stem="a")
    before = Path(first).read_bytes()
    self_signed(str(tmp_path), ["b.test"], stem="b")
    assert self_signed(str(tmp_path), ["a.test"], stem="a")[0] == first
    assert Path(first).read_bytes() == before


def test_self_signed_folder_fault(tmp_path: Path) -> None:
    """A folder that can't be is a clear fault."""
    file = written(tmp_path, "file", b"")
    with pytest.raises(TlsFault, match="can't be written"):
        self_signed(os.path.join(file, "below"), [])
