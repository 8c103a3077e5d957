"""Instants as text: for people, for programs, and for HTTP."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy.dates import imf_fixdate, rfc3339, spoken

TWO = 1795280400.0  # 2026-11-22 02:00 in Tokyo


def test_imf_fixdate() -> None:
    """The form is RFC 9110's own example of it."""
    assert imf_fixdate(784111777.9) == "Sun, 06 Nov 1994 08:49:37 GMT"


@given(st.integers(0, 4_000_000_000))
def test_imf_fixdate_reads_back(instant: int) -> None:
    """A reader of HTTP dates gets the same second back."""
    assert parsedate_to_datetime(imf_fixdate(instant)).timestamp() == instant


@pytest.mark.parametrize(
    ("instant", "zone", "up", "text", "machine"),
    [
        pytest.param(
            TWO, "Asia/Tokyo", False,
            "Sunday, 22 November 2026, 02:00 JST", "2026-11-22T02:00:00+09:00", id="Tokyo",
        ),
        pytest.param(
            TWO, "UTC", True,
            "Saturday, 21 November 2026, 17:00 UTC", "2026-11-21T17:00:00+00:00", id="UTC",
        ),
        pytest.param(
            TWO, "America/Sao_Paulo", True,
            "Saturday, 21 November 2026, 14:00 UTC-03:00", "2026-11-21T14:00:00-03:00",
            id="a zone without letters",
        ),
        pytest.param(
            TWO + 30.5, "Asia/Tokyo", False,
            "Sunday, 22 November 2026, 02:00 JST", "2026-11-22T02:00:30+09:00", id="down",
        ),
        pytest.param(
            TWO + 30.5, "Asia/Tokyo", True,
            "Sunday, 22 November 2026, 02:01 JST", "2026-11-22T02:00:31+09:00", id="up",
        ),
        pytest.param(
            1783000800.0, "Europe/Berlin", False,
            "Thursday, 2 July 2026, 16:00 CEST", "2026-07-02T16:00:00+02:00", id="summer",
        ),
        pytest.param(1e14, "UTC", False, None, None, id="beyond the calendar"),
        pytest.param(1e300, "UTC", True, None, None, id="beyond all"),
    ],
)  # fmt: skip
def test_local(instant: float, zone: str, up: bool, text: str | None, machine: str | None) -> None:
    """An instant is told in its zone, and a promise is rounded so that it can be kept."""
    assert spoken(instant, zone, up=up) == text
    assert rfc3339(instant, zone, up=up) == machine


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Sunday, 22 November 2026, 02:00 JST"),
        ("en-us", "Sunday, 22 November 2026, 02:00 JST"),
        ("ja", "2026年11月22日(日) 2:00 JST"),
        ("de", "Sonntag, 22. November 2026, 02:00 JST"),
        ("de-1996", "Sonntag, 22. November 2026, 02:00 JST"),
        ("fr-ca", "dimanche 22 novembre 2026, 02 h 00 JST"),
        ("pt-br", "domingo, 22 de novembro de 2026 02:00 JST"),
        ("tlh", "Sunday, 22 November 2026, 02:00 JST"),
        ("??", "Sunday, 22 November 2026, 02:00 JST"),
    ],
)
def test_spoken_in_languages(language: str, text: str) -> None:
    """A time is said as the readers of a language say it; in English where nobody knows how."""
    assert spoken(TWO, "Asia/Tokyo", language=language) == text


def test_spoken_in_all_languages() -> None:
    """There is no language that a time can't be said in."""
    for name in locale_identifiers():
        assert (spoken(TWO, "Asia/Tokyo", language=name.replace("_", "-")) or "").endswith(" JST")
