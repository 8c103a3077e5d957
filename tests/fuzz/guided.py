"""The same properties with bytes that atheris chooses by coverage, where it is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from typing import Final

from tests.fuzz import answers, requests
from tests.fuzz.case import Property
from tests.fuzz.mutations import mutated

_TRICKS: Final = ((0,), (0, 0), (1, 0), (2, 0))
MISSING: Final = "atheris is not installed: .venv/bin/pip install atheris"


def run(one: Property, try_one: Callable[[bytes], None], seconds: int) -> None:
    """Let atheris call `try_one` with bytes for so long. It ends the process by itself.

    Raises ImportError where it is not there. The modules of the data path must not be loaded
    before: only what is imported here is watched.
    """
    import atheris

    def custom(data: bytes, longest: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.2 or len(data) < 3:
            data = random.randbytes(2) + requests.stream(random, random.choice(_TRICKS))
        elif random.random() < 0.3:
            return bytes(atheris.Mutate(data, longest))
        return (data[:2] + mutated(random, data[2:], answers.WORDS))[:longest]

    atheris.instrument_all()
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", "-max_len=2000", "-print_final_stats=1"],
        try_one, custom_mutator=custom,
    )  # fmt: skip
    atheris.Fuzz()
