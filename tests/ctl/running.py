"""sorryctl as tests run it: as a process of its own, or within the test's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

RUN = "from sorryd.ctl.main import main; main()"
COMMAND = [sys.executable, "-c", RUN]

Run = Callable[..., Result]


def run(
    *arguments: str, code: str = RUN, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """sorryctl with `arguments`; SORRYD_SOCKET only where it is given."""
    env = {name: value for name, value in os.environ.items() if name != "SORRYD_SOCKET"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=cwd,
        env={**env, **environment},
        check=False,
    )
