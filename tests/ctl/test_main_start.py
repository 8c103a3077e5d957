"""sorryctl as a process: what it imports, which daemon it asks, which check it runs."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.running import RUN, run

# What sorryctl must do without, as each takes longer to import than all the rest of it.
SLOW = {"twisted", "msgspec", "rich", "jinja2", "apscheduler", "sorryd.model", "sorryd.messages"}


@pytest.mark.parametrize(
    "words", [["is-down"], ["--json", "status"], ["schedule", "--from=1", "--for=2", "--json"]]
)
def test_imports(daemon: FakeDaemon, words: list[str]) -> None:
    """What scripts ask starts at once: nothing slow is imported for it."""
    code = f"""if True:
        import atexit, sys
        atexit.register(lambda: print(*sys.modules, file=sys.stderr))
        {RUN}"""
    outcome = run(*words, code=code, SORRYD_SOCKET=str(daemon.path))
    imported = set(outcome.stderr.split())
    assert "click" in imported
    assert imported & SLOW == set()


@pytest.mark.parametrize("code", [0, 1])
def test_check(tmp_path: Path, code: int) -> None:
    """check runs the daemon's own --check on the file, and exits as it does."""
    scripts = tmp_path / "twisted" / "scripts"
    scripts.mkdir(parents=True)
    (tmp_path / "twisted" / "__init__.py").touch()
    (scripts / "__init__.py").touch()
    (scripts / "twistd.py").write_text(
        f"import sys\ndef run():\n    print(sys.argv[1:])\n    sys.exit({code})\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    outcome = run("check", "a.ini", PYTHONPATH=path)
    assert outcome.stdout == "['sorryd', '--config=a.ini', '--check']\n"
    assert outcome.returncode == code


def test_check_runs_nothing_from_here(tmp_path: Path) -> None:
    """A folder named twisted where one stands is not what check runs."""
    (tmp_path / "twisted").mkdir()
    (tmp_path / "twisted" / "__init__.py").write_text("print('taken over')")
    assert "taken over" not in run("check", "a.ini", cwd=tmp_path).stdout


def _config(path: Path, control: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[sorryd]\ncontrol = {control}\n")
    return path


def test_where_the_socket_is(tmp_path: Path) -> None:
    """--socket goes before $SORRYD_SOCKET, that before --config, that before etc/sorryd.ini."""
    config = _config(tmp_path / "other.ini", "from_config")
    _config(tmp_path / "etc" / "sorryd.ini", "from_etc")

    def tried(*arguments: str, **environment: str) -> str:
        said = run("is-down", *arguments, cwd=tmp_path, **environment).stderr
        found = re.match("sorryctl: no daemon at (.*?): ", said)
        assert found is not None, said
        return found[1]

    both = ("--socket", "given", "--config", str(config))
    assert tried(*both, SORRYD_SOCKET="environment") == "given"
    assert tried("--config", str(config), SORRYD_SOCKET="environment") == "environment"
    assert tried("--config", str(config)) == str(tmp_path / "from_config")
    assert tried() == str(tmp_path / "etc" / "from_etc")


def test_socket_of_a_config_that_names_none(tmp_path: Path) -> None:
    """A configuration without control means the daemon's default."""
    config = tmp_path / "sorryd.ini"
    config.write_text("[sorryd]\n")
    said = run("is-down", "--config", str(config)).stderr
    assert "/run/sorryd/control.sock" in said
