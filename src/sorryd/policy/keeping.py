"""What is kept of work that was done: so much, and no more."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def keep(kept: dict[K, V], most: int, key: K, value: V) -> None:
    """Put `value` among what is `kept`; where that are `most` already, forget all others.

    To forget one at a time would cost something on each use, which this never does.
    """
    if len(kept) >= most:
        kept.clear()
    kept[key] = value
