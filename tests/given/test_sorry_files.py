"""Sorry files are seen: by inotify alone, by looking alone, and whatever becomes of the folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.given.looking import NOON, Looking
from tests.given.yard import site

from sorryd.given import folder_watch


def _draft(path: Path, data: bytes) -> Path:
    draft = path.with_name("draft")
    draft.write_bytes(data)
    return draft


def _link(path: Path, data: bytes) -> None:
    path.symlink_to(_draft(path, data))


def _hard_link(path: Path, data: bytes) -> None:
    os.link(_draft(path, data), path)


PUT: dict[str, Callable[[Path, bytes], object]] = {
    "written": Path.write_bytes,
    "moved there": lambda path, data: _draft(path, data).rename(path),
    "linked": _hard_link,
    "a symbolic link": _link,
}
TAKE: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "moved away": lambda path: path.rename(path.with_name("old")),
    "removed with its folder": lambda path: shutil.rmtree(path.parent),
}


@pytest.mark.parametrize("how", ["inotify", "looking"])
@pytest.mark.parametrize("take", TAKE)
@pytest.mark.parametrize("put", PUT)
def test_it_comes_and_goes(
    looking: Looking, shared: Path, monkeypatch: pytest.MonkeyPatch, put: str, take: str, how: str
) -> None:
    """However the file is put there and taken away, by each of the two ways alone."""
    if how == "looking":
        monkeypatch.setattr(folder_watch, "inotify", None)
    path = shared / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    assert looking.yard.body() is None
    if how == "inotify":
        looking.by_inotify_alone()
    PUT[put](path, b"<p>sorry")
    looking.until(b"<p>sorry")
    TAKE[take](path)
    looking.until(None)


@pytest.mark.parametrize("how", ["inotify", "looking"])
def test_half_of_it_is_followed_by_the_rest(
    looking: Looking, shared: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A file that is seen while it is being written is whole as soon as it is written."""
    if how == "looking":
        monkeypatch.setattr(folder_watch, "inotify", None)
    path = shared / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    if how == "inotify":
        looking.by_inotify_alone()
    with path.open("wb", buffering=0) as file:
        looking.until(b"")
        file.write(b"<p>so")
        if how == "looking":
            looking.until(b"<p>so")
        file.write(b"rry")
    looking.until(b"<p>sorry")


def test_it_is_there_at_the_start(looking: Looking, shared: Path) -> None:
    """What is there when it is first used is known at once, without a turn of the reactor."""
    (shared / "maintenance.html").write_bytes(b"<p>sorry")
    looking.use(site(sorry_file=str(shared / "maintenance.html")))
    page = looking.yard.found["shop"]
    assert page is not None
    assert (page.body, page.since) == (b"<p>sorry", NOON)


def _anew(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _other(folder: Path) -> None:
    folder.rename(folder.with_name("before"))
    folder.mkdir()


def _above(folder: Path) -> None:
    folder.parent.rename(folder.parent.with_name("before"))
    folder.mkdir(parents=True)


def _late(folder: Path) -> None:
    folder.mkdir(parents=True)


def _mode(folder: Path) -> None:
    folder.chmod(0o755)


FOLDERS: dict[str, Callable[[Path], object]] = {
    "made anew": _anew,
    "replaced": _other,
    "replaced further up": _above,
    "of another mode": _mode,
}


@pytest.mark.parametrize("case", FOLDERS)
def test_the_folder_changes(looking: Looking, shared: Path, case: str) -> None:
    """The path is what counts; inotify watches the folder that it leads to now."""
    path = shared / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    path.write_bytes(b"<p>one")
    looking.until(b"<p>one")
    FOLDERS[case](shared)
    if case != "of another mode":
        looking.until(None)
    looking.looked()
    looking.looked()  # now the reactor has heard of what was seen
    looking.by_inotify_alone()
    path.write_bytes(b"<p>two")
    looking.until(b"<p>two")
    path.unlink()
    looking.until(None)


def test_the_folder_comes_late(looking: Looking, tmp_path: Path) -> None:
    """Neither the folder nor the one above is there yet."""
    path = tmp_path / "shared" / "system" / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    path.parent.mkdir(parents=True)
    looking.by_inotify_alone()
    path.write_bytes(b"<p>sorry")
    looking.until(b"<p>sorry")


def test_a_deploy_moves_the_link(looking: Looking, tmp_path: Path) -> None:
    """``current`` leads to another release, where the file is, or is not."""
    current = tmp_path / "current"
    for name, page in (("one", None), ("two", b"<p>two"), ("three", None)):
        (tmp_path / name).mkdir()
        if page is not None:
            (tmp_path / name / "maintenance.html").write_bytes(page)
    current.symlink_to("one")
    looking.use(site(sorry_file=str(current / "maintenance.html")))
    for name, body in (("two", b"<p>two"), ("three", None), ("two", b"<p>two")):
        (tmp_path / "next").symlink_to(name)
        (tmp_path / "next").rename(current)
        looking.until(body)


def test_many_files_at_once(looking: Looking, shared: Path) -> None:
    """A storm in the folder neither hides the file nor wakes anybody."""
    path = shared / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    looking.by_inotify_alone()
    before = looking.looks
    for number in range(300):
        (shared / f"upload{number}").touch()
    looking.yard.turn()
    assert looking.looks == before
    path.write_bytes(b"<p>sorry")
    looking.until(b"<p>sorry")


def test_more_than_inotify_can_tell(looking: Looking, shared: Path) -> None:
    """Its queue overflows while the reactor does something else: a look finds the file."""
    path = shared / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for _ in range(min(queue, 20000) // 3 + 1000):  # each of them is three events
        (shared / "upload").touch()
        (shared / "upload").unlink()
    path.write_bytes(b"<p>sorry")
    looking.until(b"<p>sorry")
    path.unlink()
    looking.until(None)
