"""The openssl command as a visitor, which can be made to speak less than others do."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from OpenSSL import SSL
from tests.certificates import authority, issue
from tests.edge.handshakes import NAME, shown, written

from sorryd.edge.certificates import ServerNames

PATIENCE = 20.0

RSA_ROOT, ECDSA_ROOT = authority("RSA root", kind="rsa"), authority("ECDSA root")

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")


class Street:
    """A server with one address; both its roots are trusted by whoever asks there."""

    def __init__(self, folder: Path, context: SSL.Context) -> None:
        self._trusted = written(folder, "roots.pem", RSA_ROOT.pem + ECDSA_ROOT.pem)
        self._context = context
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE)

    def asked(self, *options: str) -> str:
        """What `openssl s_client` says of its handshake, which the server's side must survive."""
        port = self._server.getsockname()[1]
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", NAME]
        command += ["-CAfile", self._trusted, "-verify_return_error", *options]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as client:
            self._serve()
            return client.communicate(timeout=PATIENCE)[0]

    def _serve(self) -> None:
        sock, _ = self._server.accept()
        with sock:
            sock.settimeout(None)
            connection = SSL.Connection(self._context, sock)
            connection.set_accept_state()
            with suppress(SSL.Error):
                connection.do_handshake()
                connection.shutdown()

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    """A site with an RSA and an ECDSA certificate for one name, each with an intermediate."""
    certificates = shown(
        tmp_path,
        issue(authority("RSA middle", issuer=RSA_ROOT, kind="rsa"), [NAME], kind="rsa"),
        issue(authority("ECDSA middle", issuer=ECDSA_ROOT), [NAME]),
    )
    street = Street(tmp_path, ServerNames([((), certificates)]).default)
    yield street
    street.close()


@pytest.mark.parametrize(
    ("options", "kind", "signature"),
    [
        (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "RSA", "RSA-PSS"),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "ECDSA", "ECDSA"),
        (["-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"], "RSA", "RSA-PSS"),
        (["-tls1_3", "-sigalgs", "ECDSA+SHA256"], "ECDSA", "ECDSA"),
    ],
    ids=["RSA 1.2", "ECDSA 1.2", "RSA 1.3", "ECDSA 1.3"],
)
def test_each_kind_has_its_chain(
    street: Street, options: list[str], kind: str, signature: str
) -> None:
    """Who knows one kind of key gets that certificate, with its own intermediate and no other."""
    said = street.asked(*options)
    assert re.findall(r"i:CN ?= ?(.*)", said) == [f"{kind} middle", f"{kind} root"]
    assert f"Peer signature type: {signature}" in said
    assert "Verification: OK" in said


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_refused(street: Street, version: str) -> None:
    """TLS 1.0 and 1.1 are refused with the alert that says so."""
    said = street.asked(version, "-cipher", "ALL:@SECLEVEL=0")
    assert re.search(r"alert protocol version|alert number 70", said)
    assert "BEGIN CERTIFICATE" not in said
