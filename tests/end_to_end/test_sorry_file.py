"""A sorry file and a real daemon: however it runs, at its start, stalled, and reloaded."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.end_to_end.daemon import WITHOUT_UVLOOP, Daemon, configuration, section
from tests.end_to_end.load import Load, Pages
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import CutShort, Message, ask
from tests.end_to_end.workers import BOTH_KINDS

NAME: Final = "down.html"
WITHOUT_INOTIFY: Final = "import sys; sys.modules['twisted.internet.inotify'] = None"


@pytest.fixture
def member() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


def put(folder: Path, text: str = "<p>sorry</html>\n") -> None:
    """The file, whole at once."""
    draft = folder / "draft"
    draft.write_text(text)
    draft.rename(folder / NAME)


WAYS: Final[dict[str, dict[str, Any]]] = {
    "-n": {},
    "daemonised": {"foreground": False},
    "without uvloop": {"launcher": WITHOUT_UVLOOP},
    "epoll reactor": {"reactor": "epoll"},
    "without inotify": {"launcher": WITHOUT_INOTIFY},
    "daemonised without inotify": {"launcher": WITHOUT_INOTIFY, "foreground": False},
}


@pytest.mark.parametrize("way", WAYS)
def test_it_comes_and_goes(tmp_path: Path, member: Pages, way: str) -> None:
    """Seen by visitors, whatever the reactor, on both sides of a fork."""
    ini = configuration([member.url], sorry_file=NAME)
    with Daemon(tmp_path, ini, **WAYS[way]) as daemon:
        assert ask(daemon.port()).status == 200
        for _ in range(2):
            put(tmp_path)
            until(lambda: ask(daemon.port()).one("Sorry-Cause") == b"file", "the file")
            (tmp_path / NAME).unlink()
            until(lambda: ask(daemon.port()).status == 200, "the site")
        assert ("no inotify there" in daemon.log) is ("without inotify" in way)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def first_answer(port: int) -> Message:
    """What the first visitor gets who is let in at all."""

    def look() -> Message | None:
        with contextlib.suppress(OSError, CutShort):
            return ask(port)
        return None

    return until(look, "the first answer")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_start_under_the_file(tmp_path: Path, member: Pages, how: str) -> None:
    """The very first visitor gets the apology: also after kill -9, and put there meanwhile."""
    port = _free_port()
    ini = configuration([member.url], sorry_file=NAME, listen=f"127.0.0.1:{port}")
    put(tmp_path)
    daemon = Daemon(tmp_path, ini)
    daemon.launch()
    assert first_answer(port).one("Sorry-Cause") == b"file"
    daemon.wait_for_log("sorryd is up")
    (tmp_path / NAME).unlink()
    until(lambda: ask(port).status == 200, "the site")
    daemon.stop() if how == "stop" else daemon.kill()
    put(tmp_path)
    daemon.launch()
    if daemon.edges > 1 and how == "kill":  # those that serve on can't know of it
        daemon.wait_for_log("sorryd is up")
    assert first_answer(port).one("Sorry-Cause") == b"file"
    daemon.wait_for_log("sorryd is up")
    daemon.stop()
    (tmp_path / NAME).unlink()
    with daemon:
        assert first_answer(port).status == 200


def test_a_process_that_stood_still(tmp_path: Path, member: Pages) -> None:
    """What happened meanwhile is seen as soon as it goes on, both ways."""
    with Daemon(tmp_path, configuration([member.url], sorry_file=NAME)) as daemon:
        for is_put in (True, False):
            with Load(daemon.port()) as load:
                load.wait_for(20)
                daemon.signal(signal.SIGSTOP)
                put(tmp_path) if is_put else (tmp_path / NAME).unlink()
                gone_on = time.time()
                daemon.signal(signal.SIGCONT)
                load.wait_till(gone_on + 0.5)
                load.wait_for(20)
            assert load.faults == []
            late = [one.asked for one in load.answers if one.is_page is is_put]
            # 250 ms are promised, on a machine that is not as busy as that of a test may be.
            assert max(late) - gone_on < 1.0
            assert load.answers[-1].is_page is not is_put


@BOTH_KINDS
def test_a_reload_takes_the_file_with_it(tmp_path: Path, member: Pages) -> None:
    """A file that is there when the key comes holds the site at once, and no more when it goes."""
    without = configuration([member.url])
    blog = section("blog", [member.url], listen="127.0.0.1:0", sorry_file="blog.html")
    put(tmp_path)
    (tmp_path / "blog.html").touch()
    with Daemon(tmp_path, without) as daemon:
        port = daemon.port()
        assert ask(port).status == 200
        daemon.config.write_text(configuration([member.url], sorry_file=NAME) + blog)
        daemon.ask("daemon.reload")
        assert ask(port).one("Sorry-Cause") == b"file"
        assert ask(daemon.port("blog")).one("Sorry-Cause") == b"file"
        (tmp_path / "blog.html").unlink()
        until(lambda: ask(daemon.port("blog")).status == 200, "the blog")
        daemon.config.write_text(without)
        daemon.ask("daemon.reload")
        assert ask(port).status == 200
        daemon.config.write_text(configuration([member.url], sorry_file="other.html"))
        daemon.ask("daemon.reload")
        assert ask(port).status == 200
        put(tmp_path)
        (tmp_path / NAME).rename(tmp_path / "other.html")
        until(lambda: ask(port).one("Sorry-Cause") == b"file", "the file")


def test_what_is_no_file_is_told(tmp_path: Path, member: Pages) -> None:
    """A pipe holds up neither the start nor the site; the log has one line."""
    os.mkfifo(tmp_path / NAME)
    with Daemon(tmp_path, configuration([member.url], sorry_file=NAME)) as daemon:
        assert ask(daemon.port()).status == 200
        daemon.wait_for_log(f"site shop: sorry_file {tmp_path / NAME} is no regular file, and")
        (tmp_path / NAME).unlink()
        put(tmp_path)
        until(lambda: ask(daemon.port()).one("Sorry-Cause") == b"file", "the file")
        assert daemon.log.count("is no regular file") == 1


def test_the_site_s_own_page_where_the_file_is_empty(tmp_path: Path, member: Pages) -> None:
    """`touch` and `rm` are a switch too."""
    with Daemon(tmp_path, configuration([member.url], sorry_file=NAME)) as daemon:
        (tmp_path / NAME).touch()
        until(lambda: ask(daemon.port()).one("Sorry-Cause") == b"file", "the file")
        got = ask(daemon.port(), b"/", b"Accept: text/html")
        assert got.body.startswith(b"<!doctype html>")
        assert got.one("Content-Type") == b"text/html; charset=utf-8"
