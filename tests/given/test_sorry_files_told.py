"""Sorry files through reloads, on bad disks and with bugs, and what is told of all that."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.end_to_end.waiting import until
from tests.given.looking import NOON, Looking
from tests.given.yard import site
from twisted.logger import LogEvent, capturedLogs, formatEvent

from sorryd.given import folder_watch
from sorryd.given.sight import NOTHING, Sight, look
from sorryd.given.sorry_files import first_sights

# --- reloads ---------------------------------------------------------------------------------


def test_sites_come_and_go(looking: Looking, shared: Path) -> None:
    """A reload: what stays is not looked at anew, what is another is, what goes is let go."""
    one, two = shared / "one.html", shared / "two.html"
    two.write_bytes(b"<p>two")
    looking.use(site(sorry_file=str(one)))
    one.write_bytes(b"<p>one")
    looking.until(b"<p>one")
    looking.files.use(
        (site(sorry_file=str(one)), site("blog", sorry_file=str(two))),
        first_sights((site("blog", sorry_file=str(two)),), NOON),
    )
    assert (looking.yard.body(), looking.yard.body("blog")) == (b"<p>one", b"<p>two")
    looking.use(site(sorry_file=str(two)))
    assert looking.yard.body() == b"<p>two"
    looking.use(site())
    assert looking.yard.body() is None
    looking.yard.turn()
    assert looking.yard.watches == 0


def test_what_was_given_up_tells_nothing(looking: Looking, shared: Path) -> None:
    """A sight that was under way when the file was given up is not told."""
    path = shared / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    path.write_bytes(b"<p>sorry")
    until(lambda: looking.yard.waiting, "what the thread has seen")
    looking.use(site())
    looking.yard.turn()
    assert looking.yard.body() is None


def test_a_disk_that_does_not_answer(
    looking: Looking, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but the thread waits for it, at a reload and at the stop neither."""
    path = str(shared / "maintenance.html")
    hangs, go_on = threading.Event(), threading.Event()

    def hang(path: str, before: Sight, now: float) -> Sight:
        hangs.set()
        go_on.wait()
        return NOTHING

    looking.look = hang
    looking.files.use((site(sorry_file=path),), {})
    assert hangs.wait(20)
    looking.files.use((site(sorry_file=path), site("blog", sorry_file=path)), {})
    looking.files.stop()
    go_on.set()


# --- what is told ----------------------------------------------------------------------------


def _told(logs: Sequence[LogEvent]) -> list[str | None]:
    return [formatEvent(event) for event in logs]


def test_trouble_is_told_once(looking: Looking, shared: Path) -> None:
    """However often it is looked at."""
    path = shared / "maintenance.html"
    with capturedLogs() as logs:
        looking.use(site(sorry_file=str(path)))
        path.mkdir()
        looking.yard.until(lambda: logs, "a line")
        looking.looked()
        looking.looked()
        path.rmdir()
        looking.looked()
        looking.looked()
        path.mkdir()
        looking.yard.until(lambda: len(logs) > 1, "another line")
    said = f"site shop: sorry_file {path} is no regular file, and counts for nothing"
    assert _told(logs) == [said, said]


def test_no_inotify_is_told_once(
    looking: Looking, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and the file is seen all the same."""
    monkeypatch.setattr(folder_watch, "inotify", None)
    path = shared / "maintenance.html"
    with capturedLogs() as logs:
        looking.use(site(sorry_file=str(path)))
        shutil.rmtree(shared)
        looking.looked()
        shared.mkdir()
        path.write_bytes(b"<p>sorry")
        looking.until(b"<p>sorry")
    assert _told(logs) == [f"site shop: sorry_file {path}: no inotify there; looked at every 0.1 s"]


def test_a_bug_ends_nothing(
    looking: Looking, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and the other files are looked at."""
    path = shared / "maintenance.html"

    def broken(path: str, before: Sight, now: float) -> Sight:
        if path.endswith("broken.html"):
            raise ZeroDivisionError
        return look(path, before, now)

    looking.look = broken
    with capturedLogs() as logs:
        wrong = site("blog", sorry_file=str(shared / "broken.html"))
        looking.files.use((wrong, site(sorry_file=str(path))), {})
        path.write_bytes(b"<p>sorry")
        looking.until(b"<p>sorry")
        looking.yard.turn()
    assert _told(logs) == ["a bug in a look at a sorry file"]


@pytest.mark.parametrize("limit", ["instances", "watches"])
def test_the_kernel_gives_no_more(
    looking: Looking, shared: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Users have 128 instances of inotify by default; who gets none looks by himself."""
    kernel = folder_watch.inotify.INotify._inotify

    def refuse(*args: object) -> int:
        raise folder_watch.inotify.INotifyError("no more")

    monkeypatch.setattr(kernel, "init" if limit == "instances" else "add", refuse)
    path = shared / "maintenance.html"
    looking.use(site(sorry_file=str(path)))
    path.write_bytes(b"<p>sorry")
    looking.until(b"<p>sorry")
    assert looking.yard.watches == 0
