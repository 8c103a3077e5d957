"""How processor time is added up."""

from __future__ import annotations

import os
import time

import pytest
from bench.processor import Reading

from bench import processor


def test_time_is_that_of_threads_that_were_there_and_of_new_ones() -> None:
    """What a thread had used before does not count; one that has ended counts no more."""
    before = Reading(nanoseconds={1: 5_000_000_000, 2: 1_000}, ticks=0)
    after = Reading(nanoseconds={1: 5_500_000_000, 3: 250_000_000}, ticks=0)
    assert processor.seconds(before, after) == pytest.approx(0.75)


def test_where_the_kernel_tells_no_nanoseconds_ticks_count() -> None:
    """A tick is 10 ms nearly everywhere."""
    a_second = os.sysconf("SC_CLK_TCK")
    before, after = Reading(nanoseconds={}, ticks=7), Reading(nanoseconds={}, ticks=7 + a_second)
    assert processor.seconds(before, after) == pytest.approx(1.0)


def test_what_this_process_uses_is_seen() -> None:
    """As much as the process itself knows of it, within what happens around it."""
    began, before = time.process_time(), processor.read(os.getpid())
    while time.process_time() < began + 0.05:
        pass
    os.sched_yield()  # what runs is accounted for at the next switch, or tick
    used = processor.seconds(before, processor.read(os.getpid()))
    assert 0.03 < used < 1.0
