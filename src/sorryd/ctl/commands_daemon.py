"""Commands on the daemon itself."""

from __future__ import annotations

import sys

import click

from sorryd.ctl.commands import command, pages
from sorryd.ctl.completing import files
from sorryd.ctl.options import put, result_of, warn


@command("reload", examples=["sorryctl reload"])
def reload() -> None:
    """New configuration, without losing a request."""
    result = result_of("daemon.reload", {})
    put(result, lambda: pages().reload_page(result))
    warn(result)


@command("upgrade", examples=["sorryctl upgrade"])
def upgrade() -> None:
    """Run the release that is installed now, without losing a request.

    It is asked first whether it would start. The command ends when it answers.
    """
    from sorryd.ctl.upgrading import upgraded

    result = upgraded()
    put(result, lambda: pages().upgrade_page(result))


@command("check", examples=["sorryctl check /etc/sorryd/sorryd.ini"])
@click.argument("file", shell_complete=files)
def check(file: str) -> None:
    """Test a configuration by the daemon's own --check."""
    import subprocess

    # -P: a folder named twisted where the operator stands is not what shall run.
    run = "from twisted.scripts.twistd import run; run()"
    asked = [sys.executable, "-P", "-c", run, "sorryd", f"--config={file}", "--check"]
    code = subprocess.run(asked, check=False).returncode
    click.get_current_context().exit(min(abs(code), 1))


@command("version", examples=["sorryctl version"])
def version() -> None:
    """Versions of the daemon and of what it stands on."""
    result = result_of("daemon.version", {})
    put(result, lambda: pages().version_page(result))
