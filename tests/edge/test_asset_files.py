"""Files that visitors get: those below a folder, and none outside it."""

from __future__ import annotations

import os
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorryd.edge.asset_files import open_below
from sorryd.policy.paths import segments

MISSING = HTTPStatus.NOT_FOUND


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A folder with what may stand in one, as a symlink as ``current`` is."""
    release = tmp_path / "releases" / "1"
    (release / "images" / "deep").mkdir(parents=True)
    (release / "images" / "a.png").write_bytes(b"a")
    (release / "images" / "deep" / "b.png").write_bytes(b"b")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "releases" / "1x").mkdir()
    (tmp_path / "releases" / "1x" / "near").write_bytes(b"secret")
    for name, to in {
        "inside": "a.png",
        "folder": "deep",
        "out": "../../../secret",
        "near": "../../1x/near",
        "absolute": str(tmp_path / "secret"),
        "up": "../../..",
        "loop": "loop",
        "dangling": "nothing",
        "root": "/",
        "self": "..",
    }.items():
        (release / "images" / name).symlink_to(to)
    os.mkfifo(release / "images" / "pipe")
    (tmp_path / "current").symlink_to("releases/1")
    return tmp_path / "current"


def content(folder: Path, path: bytes) -> bytes | HTTPStatus:
    found = open_below(str(folder), path)
    if isinstance(found, HTTPStatus):
        return found
    with os.fdopen(found.descriptor, "rb") as file:
        data = file.read()
    assert len(data) == found.file.size
    return data


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (b"images/a.png", b"a"),
        (b"images/deep/b.png", b"b"),
        (b"images/inside", b"a"),
        (b"images/folder/b.png", b"b"),
        (b"images/self/images/a.png", b"a"),
        (b"images", MISSING),
        (b"images/deep", MISSING),
        (b"images/folder", MISSING),
        (b"images/none", MISSING),
        (b"images/a.png/x", MISSING),
        (b"images/out", MISSING),
        (b"images/near", MISSING),
        (b"images/absolute", MISSING),
        (b"images/up/secret", MISSING),
        (b"images/root/etc/passwd", MISSING),
        (b"images/loop", MISSING),
        (b"images/dangling", MISSING),
        (b"images/pipe", MISSING),
        (b"images/root/dev/null", MISSING),
        (b"../../secret", MISSING),
        (b"/etc/passwd", MISSING),
        (b"images/a\0.png", MISSING),
        (b"x" * 300, MISSING),
        (b"a/" * 3000, MISSING),
        ("images/あ".encode(), MISSING),
        (b"images/\xff", MISSING),
    ],
)
def test_open_below(public: Path, path: bytes, data: bytes | HTTPStatus) -> None:
    """A regular file of the folder, by whatever links, is found; nothing else is."""
    assert content(public, path) == data


def test_device(tmp_path: Path) -> None:
    """A device is no file, also where the folder is its own."""
    assert content(Path("/dev"), b"null") == MISSING


def test_folder_moves(public: Path) -> None:
    """The folder is looked up anew each time: a new release is served at once."""
    release = public.parent / "releases" / "2"
    (release / "images").mkdir(parents=True)
    (release / "images" / "a.png").write_bytes(b"new")
    (public.parent / "next").symlink_to("releases/2")
    os.replace(public.parent / "next", public)
    assert content(public, b"images/a.png") == b"new"


def test_folder_gone(tmp_path: Path) -> None:
    """Without its folder, there is no file."""
    assert content(tmp_path / "none", b"a") == MISSING


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all files")
def test_forbidden(public: Path) -> None:
    """A file that the daemon may not read is there, and is not shown."""
    (public / "images" / "a.png").chmod(0)
    assert content(public, b"images/a.png") == HTTPStatus.FORBIDDEN


PARTS = (
    b"images .. . up root self out secret etc passwd %2e%2e ..%2f.. %2f a.png deep %00 near folder"
    b" releases 1 1x absolute b.png %5c.."
).split()
TARGETS = st.lists(st.sampled_from([b"", *PARTS]), max_size=12).map(
    lambda parts: b"/" + b"/".join(parts)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=500)
@given(TARGETS)
def test_nothing_leads_out(public: Path, target: bytes) -> None:
    """Whatever is asked for, what is got lies within the folder."""
    assert content(public, b"/".join(segments(target))) in (b"a", b"b", MISSING)
