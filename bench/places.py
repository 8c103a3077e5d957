"""Where a run has its files and ports, and the filling of templates."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import ipaddress
import random
import string
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.processes import free_port

TEMPLATES = Path(__file__).parent / "templates"
SMALL, LARGE = 1024, 1024 * 1024
UPLOAD = 64 * 1024
BULK = 64 * 1024 * 1024  # what long transfers repeat: more than a processor's caches hold
_GIVEN = ("sorry.html", "sorry.html.gz", "chain.pem", "key.pem", "both.pem")


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A body as it must arrive: its length in bytes and its SHA-256."""

    length: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Body:
        """The marks of `content`."""
        return cls(length=len(content), sha256=hashlib.sha256(content).hexdigest())


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """Ports of the members behind every proxy; `bulk_member` is that of bench.bulk."""

    member_a: int = msgspec.field(default_factory=free_port)
    member_b: int = msgspec.field(default_factory=free_port)
    standby: int = msgspec.field(default_factory=free_port)
    bulk_member: int = msgspec.field(default_factory=free_port)


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Ports of one proxy: the shop, plain and TLS; a site that is down; one that has the bulk
    member; and where its counters are told.
    """

    plain: int = msgspec.field(default_factory=free_port)
    tls: int = msgspec.field(default_factory=free_port)
    sorry: int = msgspec.field(default_factory=free_port)
    bulk: int = msgspec.field(default_factory=free_port)
    admin: int = msgspec.field(default_factory=free_port)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The run's folder and what lies there for every proxy."""

    folder: Path
    members: Members
    small: Body
    large: Body
    sorry: Body
    upload: Body
    bulk: Body

    @property
    def control(self) -> Path:
        """sorryd's control socket."""
        return self.folder / "control.sock"

    def given(self, name: str) -> Path:
        """The file of the body `name`, as members answer it and visitors send it."""
        return self.folder / "members" / name


class _Filled(string.Template):
    """``@{name}``: the servers' configurations are full of dollar signs."""

    delimiter = "@"


def prepare(folder: Path, members: Members) -> Place:
    """Write the bodies, the page and the certificate into `folder`, readable for any user."""
    folder.chmod(0o755)
    noise = random.Random(20261121)
    sizes = {"small": SMALL, "large": LARGE, "upload": UPLOAD, "bulk": BULK}
    (folder / "members").mkdir()
    bodies = {}
    for name, size in sizes.items():
        content = noise.randbytes(size)
        (folder / "members" / name).write_bytes(content)
        bodies[name] = Body.of(content)
    # Jinja2 drops a template's last newline, so nobody serves one.
    page = (TEMPLATES / "sorry.html").read_text().removesuffix("\n").encode()
    (folder / "page").mkdir()
    for place in (folder, folder / "page"):
        (place / "sorry.html").write_bytes(page)
        (place / "sorry.html.gz").write_bytes(gzip.compress(page, 9, mtime=0))
    _write_certificate(folder)
    return Place(folder=folder, members=members, sorry=Body.of(page), **bodies)


def beside(place: Place, name: str) -> Place:
    """Another folder, within that of `place`, for who needs its own; the rest is the same."""
    folder = place.folder / name
    folder.mkdir()
    for given in ("members", "page", *_GIVEN):
        (folder / given).symlink_to(place.folder / given)
    return msgspec.structs.replace(place, folder=folder)


def text(template: str, **names: object) -> str:
    """`template` with its names filled in."""
    return _Filled((TEMPLATES / template).read_text()).substitute(names)


def fill(place: Place, template: str, ports: Ports | None = None, **more: str) -> Path:
    """Write `template` with its names filled in, into the run's folder, and say where."""
    names: dict[str, object] = {"folder": place.folder, **more}
    names |= msgspec.structs.asdict(place.members)
    if ports is not None:
        names |= msgspec.structs.asdict(ports)
    written = place.folder / template
    written.write_text(text(template, **names))
    return written


def _write_certificate(folder: Path) -> None:
    """ECDSA P-256, of its own signature, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    alternatives = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(secret)
    (folder / "both.pem").write_bytes(chain + secret)
