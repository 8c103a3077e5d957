"""A certificate of sorryd's own, for a first start without one from an authority."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sorryd.edge.tls import TlsFault, read_chain, read_key
from sorryd.folders import replace_file

ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
RENEWED_AHEAD: Final = 30 * 86400.0
"""Seconds before its end in which it is made anew: before anybody is warned of that end."""

# Apple's clients refuse more than 825 days, even from an authority that the user installed.
_LASTS: Final = timedelta(days=800)
_CLOCK_SKEW: Final = timedelta(hours=1)


def self_signed(
    folder: str, names: Iterable[str], *, stem: str = "self-signed", now: float | None = None
) -> tuple[str, str]:
    """A self-signed certificate for `names` in `folder`: its path, and its key's.

    Names are DNS names or IP addresses; `ALWAYS` is added. Addresses that mean "any" are left
    out, and names that no certificate can have. What is there already is kept while it is for
    these names and good for more than `RENEWED_AHEAD` at the instant `now`; otherwise it is made
    anew: ECDSA P-256, the key readable by its owner alone. Two certificates in one folder need
    two stems. Raises TlsFault where the folder can't be written.
    """
    at = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    chain_path = os.path.join(folder, f"{stem}.pem")
    key_path = os.path.join(folder, f"{stem}.key")
    wanted = _general_names(names)
    if not _serves(chain_path, key_path, wanted, at):
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = _certificate(key, wanted, at).public_bytes(Encoding.PEM)
        try:
            os.makedirs(folder, exist_ok=True)
            # A crash between the two leaves a pair that does not match, and so is made anew.
            replace_file(key_path, pem, 0o600)
            replace_file(chain_path, chain, 0o644)
        except OSError as error:
            raise TlsFault(chain_path, f"can't be written: {error.strerror}") from None
    return chain_path, key_path


def _general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    found: dict[x509.GeneralName, None] = {}
    for name in (*names, *ALWAYS):
        try:
            address = ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            if name and name.isascii():
                found[x509.DNSName(name)] = None
        else:
            if not address.is_unspecified:
                found[x509.IPAddress(address)] = None
    return list(found)


def _serves(
    chain_path: str, key_path: str, names: Iterable[x509.GeneralName], at: datetime
) -> bool:
    try:
        certificate, key = read_chain(chain_path)[0], read_key(key_path)
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (TlsFault, ValueError, x509.ExtensionNotFound):
        return False
    return (
        set(held) == set(names)
        and certificate.public_key() == key.public_key()
        and certificate.not_valid_before_utc <= at
        and at < certificate.not_valid_after_utc - timedelta(seconds=RENEWED_AHEAD)
    )


def _certificate(
    key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], at: datetime
) -> x509.Certificate:
    itself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sorryd, self-signed")])
    subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(itself)
        .issuer_name(itself)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCK_SKEW)
        .not_valid_after(at + _LASTS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(subject_key, critical=False)
        .sign(key, hashes.SHA256())
    )
