"""The access log of a real sorryd: in a file, on standard output, rotated, and not to be had."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

from tests.end_to_end.daemon import BOTH, NOBODY, Daemon, configuration
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import request, visitor
from tests.end_to_end.workers import BOTH_KINDS

AGENT = b'User-Agent: x" 200 - "\x9b2J'
ESCAPED = r'"x\" 200 - \"\x9b2J"'
COMBINED = (
    r"127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]"
    r' "GET (\S+) HTTP/1\.1" 200 5 "-" ' + re.escape(ESCAPED)
)


def ini(member: Member, log: str, form: str = "combined") -> str:
    """A configuration with an access log."""
    return configuration([member.url], daemon=f"access_log = {log}\naccess_log_format = {form}")


def ask(daemon: Daemon, target: bytes, *lines: bytes) -> None:
    """One request, which is answered."""
    with visitor(daemon.port()) as wire:
        wire.send(request(target, *lines))
        assert wire.answer().body == b"hello"


def lines_of(path: Path, count: int) -> list[str]:
    """The lines of a log, as soon as there are so many."""

    def look() -> list[str]:
        lines = path.read_text().splitlines() if path.exists() else []
        return lines if len(lines) == count else []

    return until(look, f"{count} lines in {path.name}")


def test_a_file(tmp_path: Path) -> None:
    """A line for each request, in which no visitor forges anything; rotated with SIGUSR1 and
    without, and whole at the end."""
    path = tmp_path / "access.log"
    with Member(saying(b"hello")) as member, Daemon(tmp_path, ini(member, path.name)) as daemon:
        ask(daemon, b"/a", AGENT)
        (line,) = lines_of(path, 1)
        assert re.fullmatch(COMBINED, line)
        assert path.stat().st_mode & 0o777 == 0o640
        path.rename(tmp_path / "access.log.1")
        daemon.signal(signal.SIGUSR1)
        until(path.exists, "the new file")
        ask(daemon, b"/b")
        assert '"GET /b ' in lines_of(path, 1)[0]
        path.rename(tmp_path / "access.log.2")
        ask(daemon, b"/c")
        ask(daemon, b"/d")
    assert [line.split()[6] for line in lines_of(path, 2)] == ["/c", "/d"]


@BOTH
def test_standard_output(tmp_path: Path, foreground: bool) -> None:
    """A daemon has none: the lines are in its log then."""
    with (
        Member(saying(b"hello")) as member,
        Daemon(tmp_path, ini(member, "-"), foreground=foreground) as daemon,
    ):
        ask(daemon, b"/a", AGENT)
        daemon.wait_for_log(COMBINED)


def test_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    """No visitor waits for it; who reads it later gets what was kept."""
    path = tmp_path / "access.log"
    os.mkfifo(path)
    with Member(saying(b"hello")) as member, Daemon(tmp_path, ini(member, path.name)) as daemon:
        for number in range(20):
            ask(daemon, b"/%d" % number)
        with path.open("rb") as reader:
            lines = [reader.readline() for _ in range(20)]
    # In their order, where one process writes.
    asked = [line.split(b" ")[6] for line in lines]
    assert sorted(asked, key=lambda path: int(path[1:])) == [b"/%d" % at for at in range(20)]
    assert daemon.edges > 1 or asked[-1] == b"/19"


@BOTH_KINDS
def test_json_and_reload(tmp_path: Path) -> None:
    """Another file, another format, or none, without a restart; with JSON, requests have ids."""
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    with Member(saying(b"hello")) as member, Daemon(tmp_path, ini(member, one.name)) as daemon:
        for number, text in enumerate((ini(member, two.name, "json"), ini(member, ""))):
            ask(daemon, b"/%d" % number, b"X-Request-ID: mine", b"Referer: /\xff")
            daemon.config.write_text(text)
            assert daemon.ctl("reload").returncode == 0
        ask(daemon, b"/2", b"X-Request-ID: mine")
        assert '"GET /0 HTTP/1.1" 200 5' in lines_of(one, 1)[0]
        line = json.loads(lines_of(two, 1)[0])
        ids = [seen.all("X-Request-ID") for seen in member.requests]
    assert ids == [[b"mine"], [line["id"].encode()], [b"mine"]]
    assert (line["target"], line["status"], line["bytes"]) == ("/1", 200, 5)
    assert (line["client"], line["ended"], line["referer"]) == ("127.0.0.1", "done", "/\\xff")
    assert line["member"] == member.url
    assert 0 <= line["first_ms"] <= line["total_ms"]


def test_no_place_for_it(tmp_path: Path) -> None:
    """sorryd does not start without the log that it was told to write."""
    path = tmp_path / "access.log"
    path.symlink_to(path)
    daemon = Daemon(tmp_path, configuration([NOBODY], daemon="access_log = access.log"))
    daemon.launch()
    assert daemon.wait() == 1
    (line,) = [line for line in daemon.log.splitlines() if "can't start" in line]
    assert f"{path}: too many levels of symbolic links" in line
    assert "Traceback" not in daemon.log + daemon.errors
