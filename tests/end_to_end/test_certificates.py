"""Certificates that a real sorryd shows: of two kinds, renewed while it runs, warned of."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_certificate
from tests.certificates import DAY, Kind, authority, issue
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Member, saying
from tests.end_to_end.wire import Wire, anybody, one, visitor
from tests.end_to_end.workers import BOTH_KINDS

ROOT = authority()
NAME = "shop.example"
OFTEN = "import sorryd.serving; sorryd.serving.CERTIFICATES_EVERY = 0.2"


def serial(wire: Wire) -> int:
    """The serial number of the certificate that a visitor got."""
    assert isinstance(wire.socket, ssl.SSLSocket)
    shown = wire.socket.getpeercert(binary_form=True)
    assert shown is not None
    return load_der_x509_certificate(shown).serial_number


def suite(name: str) -> ssl.SSLContext:
    """A visitor that speaks TLS 1.2 with one suite."""
    context = ssl.create_default_context(cadata=ROOT.pem.decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(name)
    return context


@pytest.fixture
def member() -> Iterator[Member]:
    with Member(saying(b"hello")) as member:
        yield member


def test_both_kinds(tmp_path: Path, member: Member) -> None:
    """An RSA and an ECDSA certificate for one name: each visitor gets the one that it knows."""
    kinds: tuple[Kind, ...] = ("rsa", "ecdsa")
    for kind in kinds:
        middle = authority(f"{kind} middle", issuer=ROOT, kind=kind)
        (tmp_path / f"{kind}.pem").write_bytes(b"".join(issue(middle, [NAME], kind=kind)))
    both = "\n    rsa.pem\n    ecdsa.pem"
    ini = configuration([member.url], listen="127.0.0.1:0 tls", certificate=both)
    with Daemon(tmp_path, ini) as daemon:
        for name in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"):
            with visitor(daemon.port(scheme="https"), suite(name)) as wire:
                assert one(wire) == b"hello"


def put(folder: Path, chain: bytes, key: bytes) -> None:
    """A new certificate in the place of the one that was there, the key last."""
    for file, content in (("shop.pem", chain), ("shop.key", key)):
        (folder / "new").write_bytes(content)
        os.replace(folder / "new", folder / file)


@BOTH_KINDS
def test_renewed(tmp_path: Path, member: Member) -> None:
    """New files are shown by themselves; who is connected stays so, and what is broken is not."""
    put(tmp_path, *issue(ROOT, [NAME], until=datetime.now(UTC) + 90 * DAY))
    keys = {"certificate": "shop.pem", "private_key": "shop.key"}
    with (
        Daemon(
            tmp_path,
            configuration([member.url], listen="127.0.0.1:0 tls", **keys),
            launcher=OFTEN,
        ) as daemon,
        visitor(daemon.port(scheme="https"), anybody()) as old,
    ):
        port, tls, before = daemon.port(scheme="https"), anybody(), serial(old)
        good = (tmp_path / "shop.pem").read_bytes()
        (tmp_path / "shop.pem").write_bytes(good[:100])
        daemon.wait_for_log(r"error\] site shop: .* holds a broken certificate")
        with visitor(port, tls) as wire:
            assert serial(wire) == before
        put(tmp_path, *issue(ROOT, [NAME], until=datetime.now(UTC) + 180 * DAY))
        daemon.wait_for_log(r"site shop: \S*/shop.pem was read anew, and is valid until 2")
        daemon.settle()
        with visitor(port, tls) as wire:
            assert serial(wire) != before
            assert one(wire) == b"hello"
        assert one(old) == b"hello"
    assert daemon.log.count("holds a broken certificate") == 1


def test_warned_of(tmp_path: Path, member: Member) -> None:
    """A certificate that ends within three weeks is in the log and in the status."""
    chain, key = issue(ROOT, [NAME], until=datetime.now(UTC) + 5 * DAY + timedelta(hours=1))
    (tmp_path / "shop.pem").write_bytes(chain + key)
    ini = configuration([member.url], listen="127.0.0.1:0 tls", certificate="shop.pem")
    with Daemon(tmp_path, ini) as daemon:
        daemon.wait_for_log(r"warn\] site shop: \S*/shop.pem expires in 5 days")
        (shown,) = daemon.ask("status")["sites"][0]["certificates"]
        assert shown["names"] == [NAME]
        assert shown["warning"] == "expires in 5 days"
