"""Languages: which of some suits a reader."""

from __future__ import annotations

import pytest

from sorryd.policy.languages import lookup


@pytest.mark.parametrize(
    ("wanted", "offered", "found"),
    [
        ("ja", ("en", "ja"), "ja"),
        ("ja-jp", ("en", "ja"), "ja"),
        (
            "zh-hant-cn-x-private1-private2",
            ("zh-hant-cn-x-private1", "zh"),
            "zh-hant-cn-x-private1",
        ),
        ("zh-hant-cn-x-private1", ("zh-hant-cn-x", "zh-hant"), "zh-hant"),
        ("zh-hant-cn-x-private1-private2", ("zh",), "zh"),
        ("de", ("de-ch",), None),
        ("en-us", ("e", "en-gb"), None),
        ("", ("en",), None),
    ],
)
def test_lookup(wanted: str, offered: tuple[str, ...], found: str | None) -> None:
    """A range is shortened from its end until a language is found, as RFC 4647 §3.4 has it."""
    assert lookup(wanted, offered) == found
