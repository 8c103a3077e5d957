"""Programs that make the load, each a process of its own: ``python -m bench.loads.KIND LOAD``."""

from __future__ import annotations

import sys

import msgspec

from bench.load import Load


def told() -> Load:
    """The load that this program was started for."""
    return msgspec.json.decode(sys.argv[1], type=Load)
