"""The wheel, installed outside of the checkout.

What sorryd needs is lent by the environment of the tests, name by name, so that nothing is
downloaded. The checkout, which is installed there as editable, is not lent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages, check_apology
from tests.end_to_end.wire import ask

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input")
NOT_LENT = ("sorryd", "__pycache__", "dropin.cache")
TWISTD = "import sys; from twisted.scripts.twistd import run; sys.argv[0] = 'twistd'; run()"
WHERE = """
import json, sys
import sorryd.service, sorryd.policy.pages as pages, twisted.plugins.sorryd_plugin
ours = [name for name in sys.modules if name.partition(".")[0] == "sorryd"]
ours.append("twisted.plugins.sorryd_plugin")
files = {sys.modules[name].__file__ for name in ours}
print(json.dumps([sorted(files), str(pages.default_page_path())]))
"""


class Installed:
    """An environment with sorryd's wheel in it."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin" / "python"
        self.sorryctl = folder / "bin" / "sorryctl"
        self.packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run something that has to go well."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, env=environment, check=True
        )

    def twistd(self, *arguments: str | Path, cwd: Path) -> str:
        """What twistd prints."""
        return self.run(self.python, "-P", "-c", TWISTD, *arguments, cwd=cwd).stdout


def lend(source: Path, target: Path) -> None:
    """Link everything in `source` into `target`, but sorryd and the path files.

    twisted/plugins becomes a folder of its own: the wheel puts its plugin there.
    """
    target.mkdir(exist_ok=True)
    for one in source.iterdir():
        if one.name in ("twisted", "plugins"):
            lend(one, target / one.name)
        elif not (one.name.startswith(NOT_LENT) or one.suffix == ".pth"):
            (target / one.name).symlink_to(one)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel as built from the checkout, in an environment of its own."""
    built, folder = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    environment = Installed(folder)
    offline = ("--no-index", "--no-deps")
    for packages in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        lend(Path(packages), environment.packages)
    environment.run(
        *PIP, "wheel", *offline, "--no-build-isolation", "-w", str(built), str(ROOT), cwd=built
    )
    (wheel,) = built.iterdir()
    environment.run(*PIP, "--python", environment.python, "install", *offline, wheel, cwd=built)
    return environment


def test_all_of_it_is_in_the_wheel(installed: Installed, tmp_path: Path) -> None:
    """Modules, plugin and pages come from where the wheel was installed; the pages are whole."""
    said = installed.run(installed.python, "-P", "-c", WHERE, cwd=tmp_path).stdout
    files, page = json.loads(said)
    assert len(files) > 20
    for file in (*files, page):
        assert Path(file).is_relative_to(installed.packages)
    for name in ("maintenance.html", "maintenance.ja.html"):
        packaged = Path(page).with_name(name)
        assert packaged.read_bytes() == (ROOT / "etc" / name).read_bytes()


def test_man_finds_the_pages(installed: Installed) -> None:
    """The manual pages lie where man looks, beside the programs."""
    share = installed.python.parents[1] / "share" / "man"
    found = {path.relative_to(share).as_posix() for path in share.rglob("*.*")}
    assert found == {"man1/sorryctl.1", "man5/sorryd.ini.5", "man8/sorryd.8"}
    assert (share / "man1" / "sorryctl.1").read_text().startswith('.TH "SORRYCTL" "1"')


def test_units_are_in_the_wheel(installed: Installed) -> None:
    """The files for systemd lie where the documents say."""
    share = installed.python.parents[1] / "share" / "sorryd" / "systemd"
    ours = ROOT / "etc" / "systemd"
    found = {path.name: path.read_bytes() for path in share.iterdir()}
    assert found == {path.name: path.read_bytes() for path in ours.iterdir()}


def test_twistd_finds_the_plugin(installed: Installed, tmp_path: Path) -> None:
    """`twistd` knows sorryd and its options, and checks a configuration, from any folder."""
    assert " sorryd " in installed.twistd("--help", cwd=tmp_path)
    said = installed.twistd("sorryd", "--help", cwd=tmp_path)
    assert "--config=" in said
    assert "--check" in said
    (tmp_path / "sorryd.ini").write_text(configuration(["http://127.0.0.1:9"]))
    checked = installed.twistd("sorryd", "--config", "sorryd.ini", "--check", cwd=tmp_path)
    assert checked == "sorryd.ini: ok\n"


class InstalledDaemon(Daemon):
    """A daemon from the wheel."""

    def __init__(self, folder: Path, ini: str, installed: Installed) -> None:
        super().__init__(folder, ini, environment={"PYTHONPATH": ""})
        self._python = installed.python

    def command(self, *options: str) -> list[str]:
        own = [f"--pidfile={self.pidfile}", "sorryd", f"--config={self.config}", *options]
        return [str(self._python), "-P", "-c", TWISTD, "-n", *own]


def test_it_runs_from_any_folder(installed: Installed, tmp_path: Path) -> None:
    """The daemon starts, sorryctl finds it by its configuration, and visitors get the page that
    came with the wheel."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with (
        Pages() as member,
        InstalledDaemon(tmp_path, configuration([member.url], drain="0s"), installed) as daemon,
    ):
        assert ask(daemon.port()).status == 200
        here = (installed.sorryctl, "--config", "../sorryd.ini")
        status = installed.run(*here, "status", cwd=elsewhere).stdout
        assert status.startswith("shop: live\n")
        installed.run(*here, "down", cwd=elsewhere)
        apology = ask(daemon.port())
        check_apology(apology)
        assert b"Down for maintenance" in apology.body
        assert installed.run(*here, "check", "../sorryd.ini", cwd=elsewhere).stdout.endswith("ok\n")
