"""Hypothesis in all tests: it judges what the code does, not how busy the machine is."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The first text in a fresh checkout takes a second: Hypothesis writes its table of Unicode.
settings.register_profile("sorryd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sorryd")
