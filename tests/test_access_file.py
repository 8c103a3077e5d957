"""What the access log is written to, whatever happens to it meanwhile."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import resource
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sorryd.access_file import LogFile, Output


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


Opened = Callable[[Path], LogFile]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens the file at a path."""
    with contextlib.ExitStack() as stack:

        def make(path: Path) -> LogFile:
            file = LogFile(str(path))
            stack.callback(file.close)
            file.open()
            return file

        yield make


@pytest.fixture
def file(path: Path, opened: Opened) -> LogFile:
    return opened(path)


# --- made, found, moved ---------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_new_file(path: Path, opened: Opened, umask: int) -> None:
    """Is for its owner and group, whatever the umask."""
    before = os.umask(umask)
    try:
        opened(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_file_that_is_there(path: Path, opened: Opened) -> None:
    """Is added to, and stays as it is."""
    path.write_bytes(b"before\n")
    path.chmod(0o604)
    file = opened(path)
    assert file.write(b"after\n") == 0
    assert path.read_bytes() == b"before\nafter\n"
    assert path.stat().st_mode & 0o777 == 0o604


def test_link_to_a_file_to_come(path: Path, opened: Opened) -> None:
    """The file is made where it leads to."""
    target = path.with_name("there.log")
    path.symlink_to(target)
    file = opened(path)
    assert file.write(b"a\n") == 0
    assert target.read_bytes() == b"a\n"


def test_no_place_for_it(path: Path, opened: Opened) -> None:
    """The fault is told at once."""
    with pytest.raises(FileNotFoundError):
        opened(path / "below")
    with pytest.raises(IsADirectoryError):
        opened(path.parent)


def test_moved(path: Path, file: LogFile) -> None:
    """What comes after that is in a new file."""
    file.write(b"1\n")
    path.rename(path.with_name("access.log.1"))
    assert (file.write(b"2\n"), file.write(b"3\n")) == (0, 0)
    assert path.with_name("access.log.1").read_bytes() == b"1\n"
    assert path.read_bytes() == b"2\n3\n"


def test_replaced(path: Path, file: LogFile) -> None:
    """A file that somebody else made in the meantime is the right one."""
    file.write(b"1\n")
    path.unlink()
    path.write_bytes(b"new\n")
    file.write(b"2\n")
    assert path.read_bytes() == b"new\n2\n"


def test_moved_and_no_new_one(path: Path, file: LogFile) -> None:
    """The old one goes on, and that is told; until there can be a new one."""
    with path.open("rb") as old:
        path.unlink()
        path.symlink_to(path.parent / "no such folder" / "access.log")
        assert file.write(b"1\n") == 0
        assert old.read() == b"1\n"
    assert file.fault == "no such file or directory; the old file is written to"
    path.unlink()
    assert file.write(b"2\n") == 0
    assert path.read_bytes() == b"2\n"


def test_closed(path: Path, file: LogFile) -> None:
    """It is opened again by what is written next, were it nothing."""
    file.write(b"1\n")
    path.rename(path.with_name("access.log.1"))
    file.close()
    assert file.write(b"") == 0
    assert path.read_bytes() == b""


LOGROTATE = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


@pytest.mark.skipif(LOGROTATE is None, reason="no logrotate on this machine")
@pytest.mark.parametrize("way", ["create", "nocreate", "copytruncate"])
def test_logrotate(path: Path, file: LogFile, way: str) -> None:
    """In each of its ways, every line is in one of the files, and the last ones in the new."""
    assert LOGROTATE is not None
    rules = path.with_name("rotate.conf")
    rules.write_text(f"{path} {{\n rotate 2\n {way}\n}}\n")
    rules.chmod(0o600)
    state = path.with_name("state")
    for line in (b"1\n", b"2\n"):
        file.write(line)
        subprocess.run(
            [LOGROTATE, "--force", "--state", state, rules],
            check=True, timeout=60, capture_output=True,
        )  # fmt: skip
    file.write(b"3\n")
    found = [Path(f"{path}{end}").read_bytes() for end in (".2", ".1", "")]
    assert found == [b"1\n", b"2\n", b"3\n"]


# --- what goes wrong ------------------------------------------------------------------------


@contextlib.contextmanager
def full_after(size: int) -> Iterator[None]:
    """Files can't grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room(path: Path, file: LogFile) -> None:
    """What did not get there is counted, and no line is there by half."""
    with full_after(6):
        assert file.write(b"one\ntwo\nthree\n") == 2
        assert file.fault == "file too large"
        assert file.write(b"four\nfive\n") == 2
    assert file.write(b"six\n") == 0
    assert path.read_bytes() == b"one\nsix\n"


def test_no_room_for_several(path: Path, opened: Opened) -> None:
    """Where the disk is full for one worker, the lines of the others are whole all the same."""
    one, other = opened(path), opened(path)
    with full_after(6):
        assert one.write(b"one\ntwo\n") == 1
    assert other.write(b"three\n") == 0
    assert one.write(b"four\n") == 0
    assert path.read_bytes() == b"one\nthree\nfour\n"


def test_torn_all_the_same(path: Path, file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be taken back spoils no other line."""

    def refuse(fd: int, size: int) -> None:
        raise PermissionError

    with full_after(6), monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", refuse)
        assert file.write(b"one\ntwo\nthree\n") == 2
        assert file.write(b"four\nfive\n") == 2
    assert file.write(b"six\n") == 0
    assert path.read_bytes() == b"one\ntw\nsix\n"


def test_no_locks(path: Path, file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks is written to as it comes."""

    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert file.write(b"one\n") == 0
    assert path.read_bytes() == b"one\n"


def test_no_room_at_all(opened: Opened) -> None:
    """A full disk costs the lines, and no more than these."""
    file = opened(Path("/dev/full"))
    assert file.write(b"1\n2\n") == 2
    assert file.fault == "no space left on device"


# --- pipes ----------------------------------------------------------------------------------


def test_pipe_without_a_reader(path: Path, opened: Opened) -> None:
    """To open it takes no waiting; what is written waits for who reads."""
    os.mkfifo(path)
    file = opened(path)
    thread = threading.Thread(target=file.write, args=(b"1\n",), daemon=True)
    thread.start()
    with path.open("rb") as reader:
        assert reader.readline() == b"1\n"
    thread.join(20)
    assert file.write(b"2\n") == 1
    assert file.fault == "broken pipe"


def test_pipe_with_a_reader(path: Path, opened: Opened) -> None:
    """Is written to as a file is, in whole lines however few bytes it takes at a time."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = opened(path)
    os.set_blocking(reader, True)
    data = b"line\n" * 100_000
    thread = threading.Thread(target=file.write, args=(data,), daemon=True)
    thread.start()
    got = b""
    while len(got) < len(data):
        got += os.read(reader, 1 << 20)
    os.close(reader)
    thread.join(20)
    assert got == data
    assert file.fault == ""


def test_line_longer_than_a_piece(path: Path, opened: Opened) -> None:
    """Even a line that a pipe does not take at once gets there, in its place."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = opened(path)
    data = b"short\n" + b"x" * 9000 + b"\nshort\n" + b"y" * 4095 + b"\nlast\n"
    assert file.write(data) == 0
    assert os.read(reader, 1 << 20) == data
    os.close(reader)


# --- standard output ------------------------------------------------------------------------


def test_open_descriptor() -> None:
    """Is written to even where somebody made it non-blocking, and is never closed."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    output = Output("standard output", writer)
    output.open()
    data = b"line\n" * 100_000
    thread = threading.Thread(target=output.write, args=(data,), daemon=True)
    thread.start()
    got = b""
    while len(got) < len(data):
        got += os.read(reader, 1 << 20)
    thread.join(20)
    assert got == data
    output.close()
    os.close(reader)
    assert output.write(b"1\n") == 1
    assert output.fault == "broken pipe"
    os.close(writer)
