"""Under a supervisor: what it hears (sd_notify(3)), what it keeps, and a log as journald has it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.daemon import BOTH, Daemon, configuration
from tests.end_to_end.members import Member
from tests.end_to_end.supervisor import Notices, Supervised
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import ask, request, visitor


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[Notices]:
    with Notices(tmp_path) as one:
        yield one


@pytest.fixture
def free() -> int:
    """A port that nobody has, for now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


# --- what it hears -----------------------------------------------------------------------------


@BOTH
def test_up_and_stopping(
    tmp_path: Path, member: Member, notices: Notices, foreground: bool
) -> None:
    """READY when visitors and commands are served; STOPPING, with the time that it may take."""
    ini = configuration([member.url], daemon="shutdown = 20s")
    with Supervised(tmp_path, ini, notices=notices, foreground=foreground) as daemon:
        ready = notices.wait_for("READY=1")
        assert ready.fields["STATUS"] == "shop live"
        assert ready.fields.get("MAINPID") == (None if foreground else str(daemon.pid))
        assert ask(daemon.port()).body == b"hello"
        assert daemon.ctl("is-down").returncode == 1
    stopping = notices.wait_for("STOPPING=1")
    assert int(stopping.fields["EXTEND_TIMEOUT_USEC"]) > 20e6


def test_a_start_that_is_refused(tmp_path: Path, notices: Notices, free: int) -> None:
    """READY is not said."""
    with socket.create_server(("127.0.0.1", free)):
        ini = configuration(["http://127.0.0.1:9"], listen=f"127.0.0.1:{free}")
        daemon = Supervised(tmp_path, ini, notices=notices)
        daemon.launch()
        assert daemon.wait() == 1
    assert notices.heard() == []


def test_how_it_goes(tmp_path: Path, member: Member, notices: Notices) -> None:
    """STATUS follows the phases of the sites, by command and by the clock."""
    ini = configuration([member.url], drain="0s")
    with Supervised(tmp_path, ini, notices=notices) as daemon:
        assert daemon.ctl("down").returncode == 0
        notices.wait_for("STATUS=shop down")
        assert daemon.ctl("up").returncode == 0
        notices.wait_for("STATUS=shop live")
        assert daemon.ctl("schedule", "--from", "now", "--for", "1s").returncode == 0
        told = notices.wait_for("STATUS").fields["STATUS"]
        assert re.fullmatch(r"shop down until (\S+ )?\d\d:\d\d UTC", told)
        notices.wait_for("STATUS=shop live")


RELOADS: Final[dict[str, Callable[[Daemon], object]]] = {
    "sorryctl": lambda daemon: daemon.ctl("reload"),
    "SIGHUP": lambda daemon: daemon.signal(signal.SIGHUP),
}


@pytest.mark.parametrize("ask_for", RELOADS.values(), ids=RELOADS)
def test_reloads(
    tmp_path: Path, member: Member, notices: Notices, ask_for: Callable[[Daemon], object]
) -> None:
    """RELOADING with its moment, and READY when all is in force; also where it is refused."""
    ini = configuration([member.url])
    with Supervised(tmp_path, ini, notices=notices) as daemon:
        notices.wait_for("READY=1")
        for text, status in (
            (
                ini + "colour = blue\n",
                "shop live (the last reload was refused: sorryctl reload says why)",
            ),
            (ini.replace("site shop", "site wiki"), "wiki live"),
        ):
            before = time.clock_gettime(time.CLOCK_MONOTONIC)
            daemon.config.write_text(text)
            ask_for(daemon)
            reloading = notices.wait_for("RELOADING=1")
            assert int(reloading.fields["MONOTONIC_USEC"]) >= before * 1e6
            assert notices.wait_for("READY=1").fields["STATUS"] == status
        assert daemon.ask("status")["sites"][0]["name"] == "wiki"


def test_the_watchdog(tmp_path: Path, member: Member, notices: Notices) -> None:
    """It is told at half of its time that sorryd is alive."""
    more = {"WATCHDOG_USEC": "600000"}
    with Supervised(tmp_path, configuration([member.url]), notices=notices, more=more):
        notices.wait_for("READY=1")
        at = [notices.wait_for("WATCHDOG=1").at for _ in range(4)]
    assert at[3] - at[0] > 0.8


def test_an_upgrade(tmp_path: Path, member: Member, notices: Notices) -> None:
    """It is a reload to who supervises it: the same process goes on, by the same sockets, and is
    heard by the watchdog."""
    ini = configuration([member.url], listen="systemd:web, 127.0.0.1:0", daemon="workers = 1")
    with socket.create_server(("127.0.0.1", 0)) as opened:
        sockets = [("web", opened)]
        more = {"WATCHDOG_USEC": "2000000"}
        with Supervised(tmp_path, ini, sockets=sockets, notices=notices, more=more) as daemon:
            notices.wait_for("READY=1")
            assert daemon.ctl("upgrade").returncode == 0
            notices.wait_for("RELOADING=1", "MONOTONIC_USEC")
            ready = notices.wait_for("READY=1")
            assert ready.fields == {"READY": "1", "STATUS": "shop live"}
            notices.wait_for("WATCHDOG=1")
            assert daemon.ask("status")["pid"] == daemon.pid
            assert ask(opened.getsockname()[1]).body == b"hello"
    assert ["STOPPING" in one.fields for one in notices.heard()].count(True) == 1


def test_a_supervisor_that_is_gone(tmp_path: Path, member: Member, notices: Notices) -> None:
    """It is no reason to fail, nor to be slow."""
    more = {"WATCHDOG_USEC": "200000"}
    with Supervised(tmp_path, configuration([member.url]), notices=notices, more=more) as daemon:
        notices.wait_for("WATCHDOG=1")
        os.unlink(notices.address)
        assert daemon.ctl("reload").returncode == 0
        assert ask(daemon.port()).body == b"hello"


@pytest.mark.skipif(not shutil.which("systemd-notify"), reason="systemd-notify is not installed")
def test_the_fake_hears_the_real_one(notices: Notices) -> None:
    """What systemd-notify says is understood by the supervisor of these tests."""
    environment = {**os.environ, "NOTIFY_SOCKET": notices.address}
    said = ["--no-block", "--ready", "--status=so it is", f"--pid={os.getpid()}"]
    subprocess.run(["systemd-notify", *said], env=environment, check=True)
    heard = notices.wait_for("READY=1").fields
    assert heard == {"READY": "1", "STATUS": "so it is", "MAINPID": str(os.getpid())}


# --- what it keeps -----------------------------------------------------------------------------


def kept(notices: Notices) -> tuple[str, socket.socket]:
    """The next socket that it gets to keep, with its name."""
    notice = notices.wait_for("FDSTORE=1")
    return notice.fields["FDNAME"], socket.socket(fileno=os.dup(notice.descriptors[0]))


@pytest.mark.parametrize("end", [Daemon.stop, Daemon.kill], ids=["stopped", "killed"])
def test_who_comes_while_it_is_away(
    tmp_path: Path, member: Member, notices: Notices, free: int, end: Callable[[Daemon], None]
) -> None:
    """Waits in the kernel's queue, and is served by the next one, which gets the socket back."""
    daemon = Supervised(
        tmp_path, configuration([member.url], listen=f"127.0.0.1:{free}"), notices=notices
    )
    daemon.start()
    name, sock = kept(notices)
    end(daemon)
    with sock, visitor(free) as early:
        early.send(request())
        daemon.hand([(name, sock)])
        with daemon:
            assert early.answer().body == b"hello"
            assert "is for no site" not in daemon.log


def test_an_address_that_goes_is_given_back(
    tmp_path: Path, member: Member, notices: Notices, free: int
) -> None:
    """A reload that drops it lets go of it for good, and one that adds it has it kept again."""
    ini = configuration([member.url], listen=f"127.0.0.1:0, 127.0.0.1:{free}")
    with Supervised(tmp_path, ini, notices=notices) as daemon:
        name, sock = kept(notices)
        with sock:
            daemon.config.write_text(configuration([member.url]))
            assert daemon.ctl("reload").returncode == 0
            notices.wait_for("FDSTOREREMOVE=1", f"FDNAME={name}")
            with pytest.raises(ConnectionRefusedError):
                ask(free)
            daemon.config.write_text(ini)
            assert daemon.ctl("reload").returncode == 0
            assert ask(free).body == b"hello"
        again, sock = kept(notices)
        sock.close()
        assert again == name


def test_a_kept_address_that_is_wanted_otherwise(
    tmp_path: Path, member: Member, notices: Notices, free: int
) -> None:
    """A socket that was kept for a file of before is no hindrance: it is given back."""
    daemon = Supervised(
        tmp_path, configuration([member.url], listen=f"0.0.0.0:{free}"), notices=notices
    )
    daemon.start()
    name, sock = kept(notices)
    daemon.stop()
    daemon.config.write_text(configuration([member.url], listen=f"127.0.0.1:{free}"))
    daemon.hand([(name, sock)])
    with sock, daemon:
        notices.wait_for("FDSTOREREMOVE=1", f"FDNAME={name}")
        assert ask(free).body == b"hello"


# --- its log -----------------------------------------------------------------------------------


def test_a_log_for_journald(tmp_path: Path, member: Member) -> None:
    """Where the log goes to journald, each line has its priority, and no time."""
    daemon = Daemon(tmp_path, configuration([member.url]))
    daemon.log_file.touch()
    status = daemon.log_file.stat()
    daemon = Daemon(
        tmp_path,
        configuration([member.url]),
        environment={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
    )
    with daemon:
        daemon.wait_for_log("^<6>sorryd is up, with ")
        daemon.config.write_text("[sorryd]\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_log("^<3>SIGHUP: .* is refused, and nothing was changed")
    assert all(re.match("<[2-7]>", line) for line in daemon.log.splitlines())


# --- the first process of a container ----------------------------------------------------------

UNSHARE: Final = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def _can_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


class First(Daemon):
    """A daemon that is PID 1 where it is."""

    def command(self, *options: str) -> list[str]:
        return [*UNSHARE, *super().command(*options)]

    def launch(self) -> None:
        super().launch()
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        self.pid = int(until(lambda: children.read_text().strip(), "the first process"))


@pytest.mark.skipif(not _can_unshare(), reason="no namespace of process ids can be made here")
def test_the_first_process(tmp_path: Path, member: Member) -> None:
    """It heeds its signals, runs hooks, and reaps what they leave behind."""
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\n(exit 3) >/dev/null 2>&1 &\necho told\n")
    hook.chmod(0o755)
    with First(tmp_path, configuration([member.url], drain="0s", hook=str(hook))) as daemon:
        assert daemon.ask("status")["pid"] == 1
        assert daemon.ctl("down").returncode == 0
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_log("SIGHUP")
        daemon.wait_for_log("hook of shop: told")
        until(lambda: not dead_children(daemon.pid), "the orphan to be reaped")


def dead_children(pid: int) -> list[str]:
    """The children of a process for whom nobody has waited."""
    lists = [one / "children" for one in Path(f"/proc/{pid}/task").iterdir()]
    stats = [
        Path(f"/proc/{one}/stat").read_text() for path in lists for one in path.read_text().split()
    ]
    return [stat for stat in stats if stat.rpartition(")")[2].split()[0] == "Z"]
