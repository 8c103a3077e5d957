"""Files that sorryd serves by itself, to visitors who read them as they like."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.edge.messages import GET, OK, chunked, field_of, passed, request, status_of
from tests.edge.scene import NOON, TIMES, Scene, Stage, window

from sorryd.edge import asset_files, assets
from sorryd.edge.assets import PIECE
from sorryd.edge.client import AT_ONCE
from sorryd.edge.transport import HIGH
from sorryd.edge.wheel import TICK
from sorryd.model import Assets

BIG = 3 * PIECE + 7


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A folder with a small file, and a large one with no bytes alike nearby."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"picture")
    (tmp_path / "images" / "big").write_bytes((bytes(range(251)) * (BIG // 251 + 1))[:BIG])
    (tmp_path / "images" / "empty").write_bytes(b"")
    for path in (tmp_path / "images").iterdir():
        os.utime(path, (NOON - 3600, NOON - 3600))
    return tmp_path


@pytest.fixture
def site(stage: Stage, public: Path) -> Iterator[Scene]:
    """A site that serves them; at the end no descriptor is left."""
    yield stage(sorry_assets=(Assets(prefixes=("/images/",), folder=str(public)),))
    assert not [one for one in descriptors() if one.startswith(str(public))]


def descriptors() -> Iterator[str]:
    """What this process has open."""
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            yield os.readlink(f"/proc/self/fd/{number}")


def get(name: bytes = b"a.png", fields: bytes = b"", method: bytes = b"GET") -> bytes:
    return request(method + b" /images/" + name + b" HTTP/1.1", fields)


def split(got: bytes) -> tuple[bytes, bytes]:
    head, _, body = got.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


@pytest.mark.parametrize("phase", ["live", "draining", "down"])
def test_phases(site: Scene, phase: str) -> None:
    """It is served in every phase, whatever the members are."""
    if phase != "live":
        site.publish(window(NOON, NOON + 60, drain=30.0 if phase == "draining" else 0.0))
    visitor = site.visitor()
    visitor.says(get())
    head, body = split(visitor.gets())
    assert (status_of(head), body) == (200, b"picture")
    assert field_of(head, b"Content-Type") == b"image/png"
    assert visitor.is_open
    assert site.is_asking_nobody


def test_again(site: Scene) -> None:
    """Who has it already is told so; HEAD and parts of it are served as well."""
    visitor = site.visitor()
    visitor.says(get())
    head, _ = split(visitor.gets())
    tag = field_of(head, b"ETag")
    assert tag is not None
    visitor.says(get(fields=b"If-None-Match: " + tag + b"\r\n"))
    got, body = split(visitor.gets())
    assert (status_of(got), body, field_of(got, b"Content-Length")) == (304, b"", None)
    visitor.says(get(method=b"HEAD"))
    assert visitor.gets() == head
    visitor.says(get(fields=b"Range: bytes=1-2\r\n"))
    got, body = split(visitor.gets())
    assert (status_of(got), body) == (206, b"ic")
    visitor.says(get(b"empty"))
    got, body = split(visitor.gets())
    assert (status_of(got), body, field_of(got, b"Content-Length")) == (200, b"", b"0")


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (get(b"none"), 404, b"404 Not Found: there is no such file\n"),
        (get(b""), 404, b"404 Not Found: there is no such file\n"),
        (get(b"%2e%2e%2fimages%2fa.png"), 404, b"404 Not Found: there is no such file\n"),
        (get(b"none", method=b"HEAD"), 404, b""),
        (get(method=b"OPTIONS"), 405, b"405 Method Not Allowed: only GET and HEAD\n"),
        (
            get(method=b"POST", fields=b"Content-Length: 3\r\n") + b"abc",
            405,
            b"405 Method Not Allowed: only GET and HEAD\n",
        ),
        (
            get(method=b"PUT", fields=b"Transfer-Encoding: chunked\r\n") + chunked(b"abc"),
            405,
            b"405 Method Not Allowed: only GET and HEAD\n",
        ),
    ],
)
def test_not_served(site: Scene, data: bytes, status: int, body: bytes) -> None:
    """A short plain answer, and the connection lives, also behind a body that nobody wants."""
    visitor = site.visitor()
    visitor.says(data)
    head, got = split(visitor.gets())
    assert (status_of(head), got) == (status, body)
    assert (field_of(head, b"Allow") is not None) is (status == 405)
    visitor.says(GET)
    site.member().says(OK)
    assert visitor.gets() == passed(OK)


def test_old_visitors(site: Scene) -> None:
    """HTTP/1.0 gets it, and the end of the connection."""
    visitor = site.visitor()
    visitor.says(request(b"GET /images/a.png HTTP/1.0"))
    head, body = split(visitor.gets())
    assert (status_of(head), body) == (200, b"picture")
    assert field_of(head, b"Connection") == b"close"
    assert visitor.is_gone


def test_large(site: Scene, public: Path) -> None:
    """A large file arrives whole, and the next request's turn comes behind it."""
    visitor = site.visitor()
    visitor.says(get(b"big") + get())
    head, body = split(visitor.gets())
    assert status_of(head) == 200
    assert body[:BIG] == (public / "images" / "big").read_bytes()
    assert split(body[BIG:])[1] == b"picture"


def test_slow_reader(site: Scene) -> None:
    """A visitor who does not read costs two pieces at the most, whatever the file's size."""
    visitor = site.visitor()
    visitor.says(get(b"big"))
    split(visitor.gets())
    visitor.stops_reading()
    visitor.says(get(b"big"))
    site.settle()
    assert HIGH < visitor.waiting <= 2 * PIECE
    visitor.reads()
    assert len(split(visitor.gets())[1]) == BIG


@pytest.mark.parametrize("how", ["resets", "late", "stop"])
def test_ends_early(site: Scene, how: str) -> None:
    """However it ends, nothing is left of it."""
    visitor = site.visitor()
    visitor.stops_reading()
    visitor.says(get(b"big"))
    site.settle()
    if how == "resets":
        visitor.resets()
    elif how == "late":
        site.passes(TIMES.body + 2 * TICK)
    else:
        site.site.stop()
        for guest in tuple(site.site.visitors):
            assert guest.expire()
        site.passes(TIMES.body + 2 * TICK)
    site.settle()
    assert visitor.is_gone


def test_end_of_drain(site: Scene) -> None:
    """The end of drain is none for a file that is being sent."""
    visitor = site.visitor()
    visitor.stops_reading()
    visitor.says(get(b"big"))
    site.settle()
    site.publish(window(NOON, NOON + 60))
    site.passes(2 * TICK)
    visitor.reads()
    assert len(split(visitor.gets())[1]) == BIG
    assert visitor.is_open


def test_file_that_shrinks(site: Scene, public: Path) -> None:
    """Less than was promised is never passed off as whole: the connection ends."""
    visitor = site.visitor()
    visitor.stops_reading()
    visitor.says(get(b"big"))
    site.settle()
    os.truncate(public / "images" / "big", 10)
    visitor.reads()
    head, body = split(visitor.gets())
    assert field_of(head, b"Content-Length") == b"%d" % BIG
    assert len(body) < BIG
    assert visitor.has_fin
    assert visitor.is_gone


def test_file_that_grows(site: Scene, public: Path) -> None:
    """No byte more than was promised is sent."""
    visitor = site.visitor()
    visitor.stops_reading()
    visitor.says(get(b"big") + get())
    site.settle()
    with (public / "images" / "big").open("ab") as file:
        file.write(b"more")
    visitor.reads()
    _, body = split(visitor.gets())
    assert split(body[BIG:])[1] == b"picture"


def test_sparse_file(site: Scene, public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a file that no memory would hold are read piece by piece."""
    (public / "images" / "huge").touch()
    os.truncate(public / "images" / "huge", 1 << 40)
    os.utime(public / "images" / "huge", (NOON - 3600, NOON - 3600))
    visitor = site.visitor()
    visitor.says(get(b"huge", b"Range: bytes=%d-\r\n" % ((1 << 40) - 3 * PIECE)))
    head, body = split(visitor.gets())
    assert status_of(head) == 206
    assert (len(body), body.strip(b"\0")) == (3 * PIECE, b"")
    visitor.stops_reading()
    visitor.says(get(b"huge"))
    site.settle()
    assert visitor.waiting <= 2 * PIECE
    visitor.resets()


def test_everybody_has_a_turn(site: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever pipelines many gets no more of them at once than of other answers of sorryd."""
    opened: list[bytes] = []
    turns: list[int] = []

    def open_below(folder: str, path: bytes) -> object:
        opened.append(path)
        return real(folder, path)

    real = asset_files.open_below
    monkeypatch.setattr(assets, "open_below", open_below)
    soon = site.site.soon

    def counting(call: object) -> None:
        turns.append(len(opened))
        soon(call)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(site.site, "soon", counting)
    visitor = site.visitor()
    visitor.says_at_once(get() * (3 * AT_ONCE))
    assert len(re.findall(rb"HTTP/1\.1 200 ", visitor.gets())) == 3 * AT_ONCE
    assert turns == [AT_ONCE, 2 * AT_ONCE]
