"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.proxies import Name
from bench.scenarios import ALONE, Scenario


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for; `seconds` are those of one round."""

    rounds: int
    seconds: int
    scenarios: tuple[Scenario, ...]
    proxies: tuple[Name, ...]
    json: Path | None

    @property
    def loads(self) -> tuple[Scenario, ...]:
        """The scenarios that compare proxies."""
        return tuple(each for each in self.scenarios if each not in ALONE)

    @property
    def limit(self) -> int:
        """Seconds after which a run is given up: some three times what it should take."""
        turns = len(self.loads) * len(self.proxies)
        return 600 + 3 * turns * (1 + self.rounds * self.seconds)


def parse(arguments: Sequence[str] | None, description: str | None) -> Options:
    """The options, or the end of the program (2) with what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=description)
    parser.add_argument("--rounds", type=_positive, default=5, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=_positive, default=2, help="of one round, default: %(default)s"
    )
    parser.add_argument(
        "--only",
        type=_scenarios,
        action="extend",
        metavar="SCENARIOS",
        help=f"with commas: {', '.join(Scenario)}; growth is all that begin so",
    )
    parser.add_argument(
        "--proxies",
        type=_names,
        default=tuple(Name),
        metavar="NAMES",
        help=f"with commas, default: {','.join(Name)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    asked = parser.parse_args(arguments)
    return Options(
        rounds=asked.rounds,
        seconds=asked.seconds,
        scenarios=tuple(dict.fromkeys(asked.only or Scenario)),
        proxies=asked.proxies,
        json=asked.json,
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _scenarios(text: str) -> list[Scenario]:
    found: list[Scenario] = []
    for word in text.split(","):
        exact = [each for each in Scenario if each == word.strip()]
        begun = [each for each in Scenario if each.startswith(f"{word.strip()}-")]
        if not (exact or begun):
            raise argparse.ArgumentTypeError(f"{word!r}: the scenarios are {', '.join(Scenario)}")
        found += exact or begun
    return found


def _names(text: str) -> tuple[Name, ...]:
    try:
        return tuple(dict.fromkeys(Name(word.strip()) for word in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: the names are {', '.join(Name)}") from None
