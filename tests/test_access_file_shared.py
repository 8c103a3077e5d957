"""A file of the access log, or standard output, that several workers write to at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WRITER = """
import sys
from sorryd.access_file import LogFile, Output

output = Output("standard output", 1) if sys.argv[1] == "-" else LogFile(sys.argv[1])
output.open()
name = sys.argv[2].encode()
for number in range(200):
    lines = b"".join(b"%s %d %s\\n" % (name, n, name * (n % 90)) for n in range(100))
    assert output.write(lines) == 0
"""


LINES = sorted(
    b"%s %d %s" % (name, n, name * (n % 90))
    for name in (b"a", b"b", b"c")
    for n in range(100)
    for _ in range(200)
)


def writers(target: str, out: int | None = None) -> list[subprocess.Popen[bytes]]:
    """Three processes that write at once, to the file `target`, or with ``-`` to `out`."""
    command = [sys.executable, "-c", WRITER, target]
    return [subprocess.Popen([*command, name], stdout=out) for name in "abc"]


@pytest.mark.parametrize("is_stdout", [False, True], ids=["path", "stdout"])
def test_several_to_a_file(tmp_path: Path, is_stdout: bool) -> None:
    """Each line of each of them is there, and whole."""
    path = tmp_path / "access.log"
    with path.open("wb") as out:
        processes = writers("-", out.fileno()) if is_stdout else writers(str(path))
        assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert sorted(path.read_bytes().splitlines()) == LINES


@pytest.mark.parametrize("is_stdout", [False, True], ids=["path", "stdout"])
def test_several_to_a_pipe(tmp_path: Path, is_stdout: bool) -> None:
    """Each line of each of them comes, and whole, whoever else writes meanwhile."""
    path = tmp_path / "access.log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with path.open("wb") as out:
        os.set_blocking(reader, True)
        processes = writers("-", out.fileno()) if is_stdout else writers(str(path))
        got = b""
        while got.count(b"\n") < len(LINES):
            got += os.read(reader, 1 << 20)
        assert [process.wait(60) for process in processes] == [0, 0, 0]
    os.close(reader)
    assert sorted(got.splitlines()) == LINES
