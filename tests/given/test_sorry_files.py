"""Sorry files are seen: by inotify alone, by looking alone, and whatever becomes of the folder."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.end_to_end.waiting import until
from tests.given.yard import Yard, site
from twisted.logger import LogEvent, capturedLogs, formatEvent

from sorryd.given import folder_watch, sorry_files
from sorryd.given.sight import NOTHING, Sight, look
from sorryd.given.sorry_files import SorryFiles, first_sights
from sorryd.model import Site

NOON = 1_800_000_000.0
NEVER = 3600.0


class Looking:
    """Sorry files, and how often each was looked at."""

    def __init__(self, yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
        self.yard = yard
        self.looks = 0
        self.look = look
        self.files = SorryFiles(yard, lambda: NOON, yard.note, self._counted)
        self._patch = monkeypatch
        self._sites: tuple[Site, ...] = ()

    def _counted(self, path: str, before: Sight, now: float) -> Sight:
        seen = self.look(path, before, now)
        self.looks += 1
        return seen

    def use(self, *sites: Site) -> None:
        """As at a start, and at a reload."""
        self._sites = sites
        self.files.use(sites, first_sights(sites, NOON))

    def by_inotify_alone(self) -> None:
        """From now on nobody looks who was not told to."""
        self._patch.setattr(sorry_files, "EVERY", NEVER)
        self.yard.until(lambda: self.yard.watches == len(self._sites), "the watches")
        self.looked()

    def looked(self) -> None:
        """Wait until all have been looked at once more, and the last wait has begun."""
        before = self.looks
        self.files.use(self._sites, {})
        self.yard.until(lambda: self.looks >= before + len(self._sites), "a look")

    def until(self, body: bytes | None, name: str = "shop") -> None:
        """Wait until that was found last."""
        self.yard.until(
            lambda: name in self.yard.found and self.yard.body(name) == body, f"{body!r}"
        )


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    """What looks; nothing of it may be left."""
    looking = Looking(Yard(), monkeypatch)
    yield looking
    looking.files.stop()
    looking.yard.turn()
    assert looking.yard.watches == 0
    assert looking.yard.getDelayedCalls() == []


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Capistrano's folder, where the file is put."""
    folder = tmp_path / "shared" / "system"
    folder.mkdir(parents=True)
    return folder


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
