"""The files for systemd say what sorryd knows, and what systemd understands."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import click
import pytest
from twisted.scripts._twistd_unix import ServerOptions

from sorryd.config import CONTROL, STATE
from sorryd.config_listen import listen
from sorryd.ctl.commands import cli
from sorryd.options import Options

FOLDER: Final = Path(__file__).parents[1] / "etc" / "systemd"
ANALYZE: Final = shutil.which("systemd-analyze") or ""
PROGRAMS: Final = "/opt/sorryd/bin"
INI: Final = "/etc/sorryd/sorryd.ini"
MOST_EXPOSED: Final = 25
"""Tenths, of what systemd-analyze calls exposure: 0 is none, 100 all of it."""


def settings(name: str) -> dict[str, list[str]]:
    """What a unit sets: each key with its values, in their order."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


SERVICE: Final = settings("sorryd.service")


def known(options: ServerOptions | Options, words: list[str]) -> bool:
    """Whether all of `words` that look like options are among `options`."""
    names = {name.rstrip("=") for name in options.longOpt}
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    return all(
        flag[2:] in names if flag.startswith("--") else flag[1:] in options.shortOpt
        for flag in flags
    )


def test_it_is_started_as_documented() -> None:
    """By options that twistd and sorryd know, in the foreground, with the usual file."""
    program, *words = shlex.split(SERVICE["ExecStart"][0])
    assert program == f"{PROGRAMS}/twistd"
    before, own = words[: words.index("sorryd")], words[words.index("sorryd") + 1 :]
    assert known(ServerOptions(), before)
    assert "-n" in before
    assert known(Options(), own)
    assert own == ["--config", INI]


def test_it_is_reloaded_by_a_command() -> None:
    """By one that sorryctl knows, so that a refused reload is told."""
    program, *words = shlex.split(SERVICE["ExecReload"][0])
    assert program == f"{PROGRAMS}/sorryctl"
    with cli.make_context("sorryctl", words, resilient_parsing=True) as context:
        assert context.obj.config == INI
        assert isinstance(cli.get_command(context, "reload"), click.Command)
    assert words[-1] == "reload"


def test_its_folders_are_the_defaults() -> None:
    """Where sorryd.ini says nothing, control socket and journal are in folders of the unit."""
    assert f"/run/{SERVICE['RuntimeDirectory'][0]}" == os.path.dirname(CONTROL)
    assert f"/var/lib/{SERVICE['StateDirectory'][0]}" == os.path.dirname(STATE)


def test_user_and_folders_agree() -> None:
    """The user of the unit is the one that is made, and the folders are its own."""
    (line,) = re.findall(r"^u (\w+) ", (FOLDER / "sysusers.conf").read_text(), re.M)
    assert SERVICE["User"] == SERVICE["Group"] == [line]
    folders = re.findall(
        r"^d (\S+) (\d+) (\w+) (\w+) -$", (FOLDER / "tmpfiles.conf").read_text(), re.M
    )
    assert folders == [
        (os.path.dirname(INI), "0750", "root", line),
        (os.path.dirname(CONTROL), "0755", line, line),
        (os.path.dirname(STATE), SERVICE["StateDirectoryMode"][0], line, line),
        (f"/var/log/{SERVICE['LogsDirectory'][0]}", SERVICE["LogsDirectoryMode"][0], line, line),
    ]


def test_sockets_are_addresses() -> None:
    """Each of sorryd.socket may stand in `listen` as it is, and is of one family."""
    socket = settings("sorryd.socket")
    found = [listen(place, str) for place in socket["ListenStream"]]
    assert {(one.host, one.port) for one in found} == {
        (host, port) for host in ("0.0.0.0", "::") for port in (80, 443)
    }
    assert socket["BindIPv6Only"] == ["ipv6-only"]


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed")
def test_systemd_understands_it(tmp_path: Path) -> None:
    """It finds nothing to complain of, and that the service can do little."""
    for name in ("sorryd.service", "sorryd.socket"):
        text = (FOLDER / name).read_text().replace(PROGRAMS, os.path.dirname(sys.executable))
        (tmp_path / name).write_text(text)
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", *units], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    judged = [ANALYZE, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", units[0]]
    done = subprocess.run(judged, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
