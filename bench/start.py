"""How long sorryctl takes to start, for scripts: beside a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

ALLOWED = 0.1  # seconds over `python -c pass`
_RUNS = 20
_COMMANDS = (("is-down",), ("--json", "status"))


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The least wall seconds of `command`, and of ``python -c pass``: others only add to them."""

    command: str
    seconds: float
    nothing: float

    @property
    def over(self) -> float:
        """Seconds that the command takes more."""
        return self.seconds - self.nothing

    @property
    def well(self) -> bool:
        """Whether it starts at once."""
        return self.over <= ALLOWED


def measure(control: Path) -> list[Start]:
    """Ask the daemon at `control`; nothing and each command in turn, so that noise is shared."""
    sorryctl = str(Path(sys.executable).parent / "sorryctl")
    nothing: list[float] = []
    taken: dict[tuple[str, ...], list[float]] = {words: [] for words in _COMMANDS}
    for _ in range(_RUNS):
        nothing.append(_seconds((sys.executable, "-c", "pass")))
        for words, times in taken.items():
            times.append(_seconds((sorryctl, "--socket", str(control), *words)))
    return [
        Start(
            command=f"sorryctl {' '.join(words)}",
            seconds=min(times),
            nothing=min(nothing),
        )
        for words, times in taken.items()
    ]


def _seconds(command: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return time.monotonic() - began
