"""Hooks of a real daemon: told of every phase, in order, at least once; they hold up nothing."""

from __future__ import annotations

import os
import signal
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import NOBODY, Daemon, configuration
from tests.end_to_end.hooked import Receiver, is_signed, program, told
from tests.end_to_end.waiting import until
from tests.end_to_end.workers import BOTH_KINDS

QUICK = """
from sorryd import hook_program
from sorryd.policy import delivery
hook_program.LIMIT = 1.0
hook_program.GRACE = 0.5
delivery.FIRST = 0.1
"""
"""For `launcher`: time limits that a test can wait for."""


def phases(events: list[dict[str, Any]]) -> list[str]:
    return [event["phase"] for event in events]


def down_and_up(daemon: Daemon) -> None:
    daemon.ask("site.down", {"site": "shop", "reason": "disks", "drain": "0s"})
    daemon.ask("site.up", {"site": "shop"})


@pytest.mark.parametrize("reactor", ["", "epoll"])
def test_a_program_is_told(tmp_path: Path, reactor: str) -> None:
    """A program gets each event as JSON on stdin, in a clean environment, away from our folder;
    and its output goes to the log."""
    script = """#!/bin/sh
    cat >> {told}; env > {folder}/env; pwd > {folder}/pwd
    echo "it is $SORRYD_PHASE"; printf 'never ending\\033[31m' >&2
    """
    ini = configuration([NOBODY], hook=program(tmp_path, script.replace("    ", "")))
    with Daemon(tmp_path, ini, reactor=reactor) as daemon:
        down_and_up(daemon)
        until(lambda: len(told(tmp_path)) == 2, "both events")
        daemon.wait_for_log("hook of shop: it is live")
        daemon.wait_for_log(r"hook of shop: never ending\?\[31m")
        down, live = told(tmp_path)
        assert (down["event"], down["site"], down["phase"], down["before"]) == (
            "site.phase",
            "shop",
            "down",
            "live",
        )
        assert (down["reason"], down["cause"], down["author"]["uid"]) == (
            "disks",
            "manual",
            os.getuid(),
        )
        assert live["transition"] == "ended"
        environment = dict(
            line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines()
        )
        for name in ("PWD", "OLDPWD", "SHLVL", "_"):
            environment.pop(name, None)
        assert environment == {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "SORRYD_EVENT": "site.phase",
            "SORRYD_SITE": "shop",
            "SORRYD_PHASE": "live",
            "SORRYD_CURSOR": str(live["cursor"]),
        }
        assert (tmp_path / "pwd").read_text() == "/\n"
        history = daemon.ask("history.list")["entries"]
        assert [one["cursor"] for one in history if one["action"] == "site.phase"] == [
            down["cursor"],
            live["cursor"],
        ]


def test_killed_between_phase_and_delivery(tmp_path: Path) -> None:
    """A daemon that is killed while its hook is told tells it again, and then what came after."""
    path = program(tmp_path, "#!/bin/sh\ncat >> {told}\nsleep 60\n")
    with Daemon(tmp_path, configuration([NOBODY], hook=path)) as daemon:
        down_and_up(daemon)
        until(lambda: told(tmp_path), "the first event")
        daemon.kill()
        program(tmp_path)
        daemon.start()
        until(lambda: len(told(tmp_path)) == 3, "all events")
        assert phases(told(tmp_path)) == ["down", "down", "live"]
        daemon.stop()
        daemon.start()
        down_and_up(daemon)
        until(lambda: len(told(tmp_path)) == 5, "later events")
        assert phases(told(tmp_path))[3:] == ["down", "live"]


MISCHIEF = {
    "hangs": ("trap '' TERM; sleep 60 & wait; sleep 60", "did not end within 1 s"),
    "crashes": ("kill -SEGV $$", "was killed by SIGSEGV"),
    "fails": ("exit 3", "exit status 3"),
    "is no program": None,
}


@pytest.mark.parametrize("kind", MISCHIEF)
def test_mischief(tmp_path: Path, kind: str) -> None:
    """A hook that hangs or fails is tried again until it works, holds up no phase, and leaves no
    process behind."""
    act = MISCHIEF[kind]
    once = "mkdir {folder}/again 2>/dev/null && "
    script = f"#!/bin/sh\ncat >> {{told}}\n{once}{{ {act[0]}; }}\nexit 0\n" if act else "\x7fELF"
    why = act[1] if act else "can't be run"
    path = program(tmp_path, script)
    with Daemon(tmp_path, configuration([NOBODY], hook=path), launcher=QUICK) as daemon:
        before = children(daemon.pid)
        begun = time.monotonic()
        down_and_up(daemon)
        assert time.monotonic() - begun < 1
        daemon.wait_for_log(f"the hook of shop was not told of event \\d+: {why}; again in")
        if act is None:
            program(tmp_path)
        until(lambda: phases(told(tmp_path))[-2:] == ["down", "live"], "both events")
        until(lambda: children(daemon.pid) == before, "no process left")


def children(pid: int) -> list[str]:
    """The processes that a process has begun and not heard the end of."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_megabytes(tmp_path: Path) -> None:
    """A hook that prints megabytes ends well, and the log has the beginning of it."""
    script = "#!/bin/sh\ncat >> {told}\nyes nothing to say | head -c 20000000\n"
    with Daemon(tmp_path, configuration([NOBODY], hook=program(tmp_path, script))) as daemon:
        down_and_up(daemon)
        until(lambda: len(told(tmp_path)) == 2, "both events")
        daemon.wait_for_log("more output is not logged")
    assert len(daemon.log) < 100_000


def test_forks(tmp_path: Path) -> None:
    """A hook that leaves a process behind, with its output open, is over when it ends itself."""
    script = "#!/bin/sh\ncat >> {told}\nsleep 60 &\necho $! > {folder}/pid\n"
    with Daemon(tmp_path, configuration([NOBODY], hook=program(tmp_path, script))) as daemon:
        down_and_up(daemon)
        until(lambda: len(told(tmp_path)) == 2, "both events")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


@BOTH_KINDS
def test_a_post(tmp_path: Path) -> None:
    """A URL is POSTed each event, signed; what is refused or redirected is tried again."""
    answers = iter([500, 302, 204, 200])
    with Receiver(lambda: next(answers)) as receiver:
        (tmp_path / "secret").write_text("0123456789abcdef\n")
        ini = configuration(
            [NOBODY],
            hook=f"http://127.0.0.1:{receiver.port}/hook?a=1",
            bypass_secret_file=tmp_path / "secret",
        )
        with Daemon(tmp_path, ini, launcher=QUICK) as daemon:
            down_and_up(daemon)
            until(lambda: len(receiver.posts) == 4, "all posts")
            assert phases(receiver.told()) == ["down", "down", "down", "live"]
            daemon.wait_for_log("not told of event .*: answered 500; again")
            daemon.wait_for_log("not told of event .*: answered 302; again")
        for fields, body in receiver.posts:
            assert is_signed(fields, body, b"0123456789abcdef", "shop")
            assert not is_signed(fields, body + b" ", b"0123456789abcdef", "shop")
            assert fields["Content-Type"] == "application/json"


def test_a_post_over_tls(tmp_path: Path) -> None:
    """Over https only who has a certificate for the name is told, by the system's store."""
    issuer = authority()
    chain, key = issue(issuer, ["localhost"])
    for name, data in (("chain.pem", chain), ("key.pem", key), ("ca.pem", issuer.pem)):
        (tmp_path / name).write_bytes(data)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    with Receiver(tls=tls) as receiver:
        ini = configuration([NOBODY], hook=f"https://localhost:{receiver.port}/")
        with Daemon(tmp_path, ini, launcher=QUICK) as daemon:
            daemon.ask("site.down", {"site": "shop", "drain": "0s"})
            daemon.wait_for_log("not told of event .*: .*certificate verify failed.*again")
            assert receiver.posts == []
        trusting = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        with Daemon(tmp_path, ini, launcher=QUICK, environment=trusting) as daemon:
            until(lambda: receiver.posts, "the event")
            assert phases(receiver.told()) == ["down"]
        other = ini.replace("localhost", "127.0.0.1")
        with Daemon(tmp_path, other, launcher=QUICK, environment=trusting) as daemon:
            daemon.ask("site.up", {"site": "shop"})
            daemon.wait_for_log("not told of event .*: .*127.0.0.1.*again|VerificationError")
            assert len(receiver.posts) == 1


def test_nobody_there(tmp_path: Path) -> None:
    """A server that is away is told when it is back, and the end of the daemon waits for none."""
    with Receiver() as receiver:
        port = receiver.port
    ini = configuration([NOBODY], hook=f"http://127.0.0.1:{port}/")
    with Daemon(tmp_path, ini, launcher=QUICK) as daemon:
        down_and_up(daemon)
        daemon.wait_for_log("not told of event .*: Connection was refused.*again")
        begun = time.monotonic()
        daemon.stop()
        assert time.monotonic() - begun < 10


def test_reload(tmp_path: Path) -> None:
    """A hook that a reload brings is told of what comes then; one that it takes, no more."""
    with Daemon(tmp_path, configuration([NOBODY])) as daemon:
        down_and_up(daemon)
        daemon.config.write_text(configuration([NOBODY], hook=program(tmp_path)))
        daemon.ask("daemon.reload")
        daemon.ask("site.down", {"site": "shop", "drain": "0s"})
        until(lambda: told(tmp_path), "the event")
        assert phases(told(tmp_path)) == ["down"]
        daemon.config.write_text(configuration([NOBODY]))
        daemon.ask("daemon.reload")
        daemon.ask("site.up", {"site": "shop"})
        daemon.config.write_text(configuration([NOBODY], hook=tmp_path / "hook.sh"))
        daemon.ask("daemon.reload")
        daemon.ask("site.down", {"site": "shop", "drain": "0s"})
        until(lambda: len(told(tmp_path)) == 2, "the event")
        assert phases(told(tmp_path)) == ["down", "down"]


def test_the_end_of_the_daemon(tmp_path: Path) -> None:
    """A program that is just running may finish when the daemon stops; what it did is kept."""
    path = program(tmp_path, "#!/bin/sh\ncat >> {told}\nsleep 1\necho over > {folder}/over\n")
    with Daemon(tmp_path, configuration([NOBODY], hook=path)) as daemon:
        daemon.ask("site.down", {"site": "shop", "drain": "0s"})
        until(lambda: told(tmp_path), "the event")
        daemon.stop()
        assert (tmp_path / "over").exists()
        program(tmp_path)
        daemon.start()
        daemon.ask("site.up", {"site": "shop"})
        until(lambda: len(told(tmp_path)) > 1, "the next event")
        assert phases(told(tmp_path)) == ["down", "live"]
