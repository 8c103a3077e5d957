"""One look at the path of a sorry file: what counts, what does not, and when it is read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sorryd.given.sight import MOST, NOTHING, SETTLED, Sight, look

NOON = 1_800_000_000.0
LATER = NOON + 10 * SETTLED


def written(path: Path, data: bytes = b"<p>sorry", at: float = NOON) -> Path:
    """A file that was changed last at an instant."""
    path.write_bytes(data)
    os.utime(path, (at, at))
    return path


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path)


NO_FILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, ""),
    "a folder": (Path.mkdir, "is no regular file, and counts for nothing"),
    "a named pipe": (os.mkfifo, "is no regular file, and counts for nothing"),
    "a socket": (_socket, "is no regular file, and counts for nothing"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is no regular file, and"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), ""),
    "a link to itself": (_loop, "can't be looked at: Too many levels of symbolic links; as long"),
}


@pytest.mark.parametrize("case", NO_FILE)
def test_what_is_no_file(tmp_path: Path, case: str) -> None:
    """Only a regular file takes a site down; nobody waits at a pipe for who writes to it."""
    make, trouble = NO_FILE[case]
    path = tmp_path / "page.html"
    make(path)
    seen = look(str(path), NOTHING, NOON)
    assert seen.page is None
    assert seen.trouble.startswith(trouble)
    assert bool(trouble) is bool(seen.trouble)


@pytest.mark.parametrize("below", ["missing/page.html", "file/page.html"])
def test_no_folder(tmp_path: Path, below: str) -> None:
    """Where there is no folder there is no file."""
    (tmp_path / "file").touch()
    assert look(str(tmp_path / below), NOTHING, NOON) == NOTHING


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"<p>sorry", "text/html; charset=utf-8"),
        ("<p>ただいまメンテナンス中です".encode(), "text/html; charset=utf-8"),
        ("<p>ただいまメンテナンス中です".encode("shift_jis"), "text/html"),
        (b"", "text/html; charset=utf-8"),
        (b"x" * MOST, "text/html; charset=utf-8"),
    ],
    ids=["ascii", "utf-8", "shift_jis", "empty", "largest"],
)
def test_a_page(tmp_path: Path, data: bytes, media_type: str) -> None:
    """The page is what is in the file; an encoding is named where it is certain."""
    seen = look(str(written(tmp_path / "page.html", data)), NOTHING, LATER)
    assert seen.page is not None
    assert (seen.page.body, seen.page.media_type) == (data, media_type)
    assert seen.page.since == LATER
    assert seen.trouble == ""


def test_too_large(tmp_path: Path) -> None:
    """The site is down all the same, with its own page."""
    seen = look(str(written(tmp_path / "page.html", b"x" * (MOST + 1))), NOTHING, LATER)
    assert seen.page is not None
    assert seen.page.body == b""
    assert seen.trouble == "is larger than 4 MiB; the site's own page is shown"


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site is down all the same, with its own page; once it can be read, with the file."""
    path = str(written(tmp_path / "page.html"))

    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        seen = look(path, NOTHING, LATER)
    assert seen.page is not None
    assert seen.page.body == b""
    assert seen.trouble == "can't be read: Permission denied; the site's own page is shown"
    os.chmod(path, 0o600)
    again = look(path, seen, LATER + 1)
    assert again.page is not None
    assert (again.page.body, again.page.since, again.trouble) == (b"<p>sorry", LATER, "")


@pytest.mark.parametrize("before", [NOTHING, None], ids=["live", "down"])
def test_who_can_not_look_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Sight | None
) -> None:
    """A disk that fails neither takes a site down nor brings it back."""
    path = str(written(tmp_path / "page.html"))
    before = before or look(path, NOTHING, NOON)

    def fail(*args: object) -> os.stat_result:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "stat", fail)
    seen = look(path, before, LATER)
    assert seen.page == before.page
    assert seen.trouble.startswith("can't be looked at: Input/output error")


def test_gone_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed between the look and the read: it is gone."""
    path = written(tmp_path / "page.html")
    opened = os.open

    def remove(*args: Any) -> int:
        path.unlink()
        return opened(*args)

    monkeypatch.setattr(os, "open", remove)
    assert look(str(path), NOTHING, LATER).page is None


def test_a_pipe_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe put in its place between the look and the read holds nobody up."""
    path = written(tmp_path / "page.html")
    opened = os.open

    def exchange(*args: Any) -> int:
        path.unlink()
        os.mkfifo(path)
        return opened(*args)

    monkeypatch.setattr(os, "open", exchange)
    assert look(str(path), NOTHING, LATER).page is None


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"!")
    os.utime(path, (NOON, NOON))


CHANGES: dict[str, tuple[Callable[[Path], object], bytes]] = {
    "grown": (_grow, b"<p>sorry!"),
    "written anew": (lambda path: written(path, b"<p>later", NOON + 1), b"<p>later"),
    "replaced": (
        lambda path: written(path.with_name("new"), b"<p>later").rename(path),
        b"<p>later",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_read(tmp_path: Path, case: str) -> None:
    """Another size, time or file is read again; the site is down since the first was found."""
    change, body = CHANGES[case]
    path = written(tmp_path / "page.html")
    before = look(str(path), NOTHING, LATER)
    change(path)
    after = look(str(path), before, LATER + 1)
    assert after.page is not None
    assert (after.page.body, after.page.since) == (body, LATER)


def test_what_is_settled_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at a file that does not change open nothing."""
    path = str(written(tmp_path / "page.html"))
    before = look(path, NOTHING, LATER)
    monkeypatch.delattr(os, "open")
    assert look(path, before, LATER + 1) == before


def test_what_is_not_settled_is_read_again(tmp_path: Path) -> None:
    """A change that leaves size and time as they were, as one within the same tick does."""
    path = tmp_path / "page.html"
    path.write_bytes(b"<p>one")
    times = os.stat(path)
    before = look(str(path), NOTHING, times.st_mtime)
    with path.open("r+b") as file:
        file.write(b"<p>two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    unseen = replace(before, stamp=look(str(path), NOTHING, LATER).stamp)
    after = look(str(path), unseen, times.st_mtime + SETTLED / 2)
    assert after.page is not None
    assert after.page.body == b"<p>two"


def test_it_comes_back_anew(tmp_path: Path) -> None:
    """After it was gone, the site is down since it was found again."""
    path = written(tmp_path / "page.html")
    before = look(str(path), NOTHING, NOON)
    path.unlink()
    gone = look(str(path), before, NOON + 1)
    assert gone.page is None
    written(path)
    back = look(str(path), gone, NOON + 2)
    assert back.page is not None
    assert back.page.since == NOON + 2
