"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import msgspec

from bench.proxies import Name
from bench.scenarios import Scenario


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for; `seconds` are those of one round."""

    rounds: int
    seconds: int
    scenarios: tuple[Scenario, ...]
    proxies: tuple[Name, ...]

    @property
    def loads(self) -> tuple[Scenario, ...]:
        """The scenarios that compare proxies."""
        return tuple(each for each in self.scenarios if each is not Scenario.WINDOW)

    @property
    def limit(self) -> int:
        """Seconds after which a run is given up: about three times what it should take."""
        turns = len(self.loads) * len(self.proxies)
        return 120 + 3 * turns * (1 + self.rounds * self.seconds)


def parse(arguments: Sequence[str] | None, description: str | None) -> Options:
    """The options, or the end of the program (2) with what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=description)
    parser.add_argument("--rounds", type=_positive, default=5, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=_positive, default=3, help="of one round, default: %(default)s"
    )
    parser.add_argument(
        "--only",
        choices=[str(each) for each in Scenario],
        action="append",
        metavar="SCENARIO",
        help=f"{', '.join(Scenario)}; may be given several times",
    )
    parser.add_argument(
        "--proxies",
        type=_names,
        default=tuple(Name),
        metavar="NAMES",
        help=f"with commas, default: {','.join(Name)}",
    )
    asked = parser.parse_args(arguments)
    return Options(
        rounds=asked.rounds,
        seconds=asked.seconds,
        scenarios=tuple(map(Scenario, asked.only or Scenario)),
        proxies=asked.proxies,
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _names(text: str) -> tuple[Name, ...]:
    try:
        return tuple(dict.fromkeys(Name(word.strip()) for word in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: the names are {', '.join(Name)}") from None
