"""Bodies to and from a Flask application under gunicorn: large, endless, conditional, in parts."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.applications import Applications, applications
from tests.end_to_end.flask_application import DOCUMENT, PIECE, piece
from tests.end_to_end.programs import needs
from tests.end_to_end.waiting import PATIENCE
from tests.end_to_end.wire import anybody, request, visitor

pytestmark = needs("curl")

MIB: Final = 1 << 20
GROWTH: Final = 24 * MIB
"""How much memory sorryd may grow by, whatever passes."""


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """sorryd and the application."""
    with applications(tmp_path_factory.mktemp("bodies")) as both:
        yield both


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 100 MiB."""
    file = tmp_path_factory.mktemp("hundred") / "hundred.bin"
    with file.open("wb") as writing:
        writing.writelines(map(piece, range(100 * MIB // PIECE)))
    return file


def digest(file: Path) -> str:
    with file.open("rb") as reading:
        return hashlib.file_digest(reading, "sha256").hexdigest()


@contextmanager
def flat_memory(apps: Applications) -> Iterator[None]:
    """sorryd must not grow by more than GROWTH within the block."""
    apps.fetch("/stream/8")
    before = apps.daemon.memory()
    apps.daemon.family.forget_peak()
    yield
    assert apps.daemon.memory("VmHWM") - before < GROWTH


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_upload_of_a_form(apps: Applications, hundred: Path, scheme: str) -> None:
    """100 MiB as multipart/form-data, with a field beside it."""
    form = ["--form", "name=a=b&c", "--form", f"file=@{hundred};filename=hundred ü.bin"]
    with flat_memory(apps):
        got = apps.fetch("/upload", *form, scheme=scheme)
    assert json.loads(got.body) == {
        "form": {"name": "a=b&c"},
        "name": "hundred ü.bin",
        "size": 100 * MIB,
        "sha256": digest(hundred),
    }


def test_a_download_of_one_gibibyte(apps: Applications) -> None:
    """It comes whole, to a reader who compares each byte."""
    room = bytearray(PIECE)
    with (
        memoryview(room) as view,
        flat_memory(apps),
        closing(http.client.HTTPConnection("127.0.0.1", apps.port(), PATIENCE)) as client,
    ):
        client.request("GET", f"/stream/{1024 * MIB // PIECE}")
        answer = client.getresponse()
        assert answer.length == 1024 * MIB
        for number in range(1024 * MIB // PIECE):
            taken = 0
            while taken < PIECE:
                taken += (got := answer.readinto(view[taken:]))
                assert got, f"cut in piece {number}"
            assert room == piece(number)
        assert answer.read() == b""


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("options", "framing"),
    [
        pytest.param(["--upload-file", "-"], "chunked", id="from a pipe"),
        pytest.param(
            ["--upload-file", "-", "--header", "Transfer-Encoding: chunked"],
            "chunked",
            id="chunked",
        ),
        pytest.param(
            ["--request", "PUT", "--data-binary", "@-"], str(len(DOCUMENT)), id="of known length"
        ),
    ],
)
def test_an_upload_by_curl(
    apps: Applications, scheme: str, options: list[str], framing: str
) -> None:
    """However curl frames a body; it sends none before 100 Continue came from the member."""
    patient = ["--header", "Expect: 100-continue", "--expect100-timeout", f"{PATIENCE:g}"]
    got = apps.fetch("/bytes", *patient, *options, scheme=scheme, send=DOCUMENT)
    assert [head.status for head in got.heads] == [100, 200]
    assert json.loads(got.body) == {
        "framing": framing, "size": len(DOCUMENT), "sha256": hashlib.sha256(DOCUMENT).hexdigest(),
    }  # fmt: skip


@pytest.mark.parametrize("tls", [None, anybody()], ids=["plain", "tls"])
def test_server_sent_events(apps: Applications, tls: ssl.SSLContext | None) -> None:
    """Each arrives before the next is made, and the end is one."""
    port = apps.port(scheme="https" if tls else "http")
    with visitor(port, tls) as listening, visitor(port, tls) as telling:
        listening.send(request(b"/events", b"Accept: text/event-stream"))
        head = listening.head()
        assert head is not None
        assert (head.one("Content-Type") or b"").startswith(b"text/event-stream")
        assert listening.until(b"\n\n").endswith(b": here we go")
        for word in (b"one", b"two", b"three", b"end"):
            telling.send(request(b"/events/" + word, method=b"POST", body=b""))
            assert telling.answer().status == 204
            if word != b"end":
                assert listening.until(b"\n\n").endswith(b"data: " + word)
        assert listening.until(b"0\r\n\r\n") == b"\r\n"


@pytest.mark.parametrize(
    ("lines", "status", "said"),
    [
        ("", 200, DOCUMENT),
        ("Range: bytes=100-199", 206, DOCUMENT[100:200]),
        ("Range: bytes=-50", 206, DOCUMENT[-50:]),
        ('Range: bytes=5-9\nIf-Range: "v1"', 206, DOCUMENT[5:10]),
        ('Range: bytes=5-9\nIf-Range: "v0"', 200, DOCUMENT),
        ("Range: bytes=99999999-", 416, None),
        ('If-None-Match: "v1"', 304, b""),
        ('If-None-Match: "v0", W/"v1"', 304, b""),
        ('If-None-Match: "v0"', 200, DOCUMENT),
        ("If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT", 304, b""),
        ("If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT", 200, DOCUMENT),
    ],
)
def test_parts_and_conditions(
    apps: Applications, lines: str, status: int, said: bytes | None
) -> None:
    """The application's answer to each, with its validators."""
    options = [word for line in lines.splitlines() for word in ("--header", line)]
    got = apps.fetch("/document", *options)
    assert got.status == status
    assert said is None or got.body == said
    if status != 416:
        assert got.head.one("ETag") == b'"v1"'
    if status in (200, 206):
        assert got.head.one("Last-Modified") == b"Sun, 09 Sep 2001 01:46:40 GMT"
    assert len(got.head.all("Date")) == 1
    if status == 206:
        assert (got.head.one("Content-Range") or b"").endswith(b"/%d" % len(DOCUMENT))


def test_a_download_that_goes_on(apps: Applications, tmp_path: Path) -> None:
    """curl asks for what it lacks."""
    file = tmp_path / "document"
    file.write_bytes(DOCUMENT[:4321])
    got = apps.fetch("/document", "--continue-at", "-", "--output", str(file))
    assert (got.exit, got.status) == (0, 206)
    assert file.read_bytes() == DOCUMENT


def test_compressed_by_the_application(apps: Applications) -> None:
    """To the byte, and said to be; curl can read it."""
    packed, plain = apps.fetch("/gzip"), apps.fetch("/gzip", "--compressed")
    assert packed.body == gzip.compress(DOCUMENT, mtime=0)
    for got in (packed, plain):
        assert got.head.one("Content-Encoding") == b"gzip"
        assert got.head.one("Vary") == b"Accept-Encoding"
        assert got.head.one("Content-Length") == b"%d" % len(packed.body)
    assert plain.body == DOCUMENT
