"""Waiting for what must come: no longer than it takes, and never for luck."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import pytest

T = TypeVar("T")

PATIENCE: Final = 20.0
"""Seconds to wait for what must come: far more than it takes, so that only a defect fails."""


def until(look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """What `look` finds, as soon as it finds something true; else the test fails."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {patience:g} s in vain for {what}")
        time.sleep(0.005)
    return found
