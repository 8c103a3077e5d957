"""`user` and `group`: root binds, and somebody else serves."""

from __future__ import annotations

import grp
import os
import pwd
import random
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.daemon import BOTH, Daemon, configuration
from tests.end_to_end.members import Member
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import ask

ROOT: Final = Path(__file__).parents[2]
WHO: Final = "nobody"
UNSHARE: Final = shutil.which("unshare") or ""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not UNSHARE, reason="it takes root to become somebody else, and unshare"
)

# The Python of the tests may lie where that user can't get at it, such as below /root: where a
# folder on the way is closed, an open one takes its place, for the daemon alone.
OPEN_UP: Final = """
set -e
mount --bind "$2" "$3"
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir -p "$2"
mount --bind "$3" "$2"
shift 3
exec "$@"
"""


def closed_to_others(path: Path) -> Path | None:
    """The first folder on the way to `path` that others may not pass; None: there is none."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


class Rooted(Daemon):
    """A daemon that root starts; `twistd` are more of twistd's own options."""

    twistd: tuple[str, ...] = ()

    def command(self, *options: str) -> list[str]:
        script, *rest = super().command(*options)
        own = [script, *self.twistd, *rest]
        python = Path(sys.base_prefix).resolve()
        closed = closed_to_others(python)
        if closed is None:
            return own
        held = self.folder / "python"
        held.mkdir(exist_ok=True)
        places = [str(closed), str(python), str(held)]
        return [UNSHARE, "--mount", "sh", "-c", OPEN_UP, "sh", *places, *own]


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter; those of pytest are for their owner."""
    with tempfile.TemporaryDirectory(prefix="sorryd-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def keys(**given: str) -> str:
    """Lines for [sorryd]."""
    return "\n".join(f"{key} = {value}" for key, value in given.items())


def below_1024() -> int:
    """A port for root alone, free for now; by chance, since others look for one too."""
    for port in random.sample(range(600, 1024), 424):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below 1024 is free")


def owner(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid


@BOTH
def test_it_becomes_somebody_else(folder: Path, member: Member, foreground: bool) -> None:
    """After binding a port below 1024; what it makes is that user's, and missing folders too."""
    person = pwd.getpwnam(WHO)
    ini = configuration(
        [member.url], listen=f"127.0.0.1:{below_1024()}", daemon=keys(user=WHO)
    ).replace("state = sorryd.db", "state = lib/sorryd/sorryd.db")
    with Rooted(
        folder, ini.replace("= control.sock", "= run/control.sock"), foreground=foreground
    ) as daemon:
        status = Path(f"/proc/{daemon.pid}/status").read_text()
        whole = [line.split()[1:] for line in status.splitlines() if line[:4] in ("Uid:", "Gid:")]
        assert whole == [[str(person.pw_uid)] * 4, [str(person.pw_gid)] * 4]
        assert "CapEff:\t0000000000000000" in status
        assert ask(daemon.port()).body == b"hello"
        theirs = person.pw_uid, person.pw_gid
        made = folder / "lib" / "sorryd", folder / "run", folder / "lib" / "sorryd" / "sorryd.db"
        assert {owner(path) for path in made} == {theirs}
        assert owner(folder / "lib")[0] == 0
        daemon.socket = folder / "run" / "control.sock"
        assert daemon.ctl("reload").returncode == 0


def test_a_group_alone(folder: Path, member: Member) -> None:
    """root goes on, with another group; it has no others."""
    group = grp.getgrgid(pwd.getpwnam(WHO).pw_gid)
    ini = configuration([member.url], daemon=keys(group=group.gr_name))
    with Rooted(folder, ini) as daemon:
        status = Path(f"/proc/{daemon.pid}/status").read_text()
        assert f"Gid:\t{group.gr_gid}\t{group.gr_gid}\t" in status
        assert "Uid:\t0\t0\t" in status
        assert f"Groups:\t{group.gr_gid} \n" in status


def test_workers_are_that_user_too(folder: Path, member: Member) -> None:
    """And the next control process, which root starts, takes over from them."""
    folder.chmod(0o777)
    port = below_1024()
    ini = configuration(
        [member.url], listen=f"127.0.0.1:{port}", daemon=keys(user=WHO, workers="2", retire="1s")
    )
    daemon = Rooted(folder, ini)
    daemon.start()
    before = daemon.family.pids()
    assert len(before) >= 3
    uid = pwd.getpwnam(WHO).pw_uid
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in before - {daemon.pid}} == {uid}
    daemon.kill()
    assert ask(port).body == b"hello"
    with daemon:
        assert ask(port).body == b"hello"
        until(lambda: not before & daemon.family.pids(), "the end of those that were left")
        assert ask(port).body == b"hello"


def test_an_upgrade_as_that_user(folder: Path, member: Member) -> None:
    """A log that is root's would end the next release, so it is refused; a pidfile is no matter."""
    ini = configuration([member.url], daemon=keys(user=WHO, workers="1")).replace("= s", "= lib/s")
    ini = ini.replace("= control.sock", "= run/control.sock")
    with Rooted(folder, ini, foreground=False) as daemon:
        daemon.socket = folder / "run" / "control.sock"
        refused = daemon.ctl("upgrade")
        said = f"sorryctl: {daemon.log_file}: {WHO} can't write it, so the next release could not\n"
        assert (refused.returncode, refused.stderr) == (1, said)
        os.chown(daemon.log_file, pwd.getpwnam(WHO).pw_uid, -1)
        for _ in range(2):
            done = daemon.ctl("upgrade")
            assert (done.returncode, done.stderr) == (0, "")
            assert int(daemon.pidfile.read_text()) == daemon.pid
        assert ask(daemon.port()).body == b"hello"


@pytest.mark.parametrize("also", ["", WHO], ids=["alone", "and user"])
def test_by_an_option_of_twistd(folder: Path, member: Member, also: str) -> None:
    """--uid binds as root too; that `user` asks for the same is no harm."""
    folder.chmod(0o777)
    daemon = Rooted(
        folder,
        configuration(
            [member.url], listen=f"127.0.0.1:{below_1024()}", daemon=keys(user=also) if also else ""
        ),
    )
    daemon.twistd = (f"--uid={WHO}",)
    with daemon:
        assert (
            f"Uid:\t{pwd.getpwnam(WHO).pw_uid}\t" in Path(f"/proc/{daemon.pid}/status").read_text()
        )
        assert ask(daemon.port()).body == b"hello"


def test_a_port_for_root_alone_at_a_reload(folder: Path, member: Member) -> None:
    """It is refused with what it takes, and nothing changes."""
    folder.chmod(0o777)
    ini = configuration([member.url], daemon=keys(user=WHO))
    with Rooted(folder, ini) as daemon:
        port, wanted = daemon.port(), below_1024()
        daemon.config.write_text(ini.replace("127.0.0.1:0", f"127.0.0.1:{wanted}"))
        done = daemon.ctl("reload")
        assert done.returncode == 1
        assert (
            f"nothing was changed: 127.0.0.1:{wanted}: permission denied: a port below 1024 takes "
            "CAP_NET_BIND_SERVICE, or a start as root" in done.stderr
        )
        assert ask(port).body == b"hello"


@pytest.mark.parametrize(
    ("closed", "why"),
    [
        ("sorryd.ini", "as user = nobody: {folder}/sorryd.ini:1: cannot be read"),
        ("maintenance.html", "[site shop] sorry_page: {folder}/maintenance.html: cannot be read"),
        ("sorryd.db", "{folder}/sorryd.db"),
        (".", "{folder}"),
    ],
)
def test_what_that_user_can_not_use_is_refused(
    folder: Path, member: Member, closed: str, why: str
) -> None:
    """At the start, as a reload would: not when it is needed."""
    shutil.copy(ROOT / "etc" / "maintenance.html", folder)
    (folder / "sorryd.db").touch()
    folder.chmod(0o777)
    daemon = Rooted(
        folder, configuration([member.url], daemon=keys(user=WHO), sorry_page="maintenance.html")
    )
    (folder / closed).chmod(0o700)
    daemon.launch()
    assert daemon.wait() == 1
    daemon.assert_clean()
    (line,) = [line for line in daemon.log.splitlines() if "can't start" in line]
    assert why.format(folder=folder) in line
