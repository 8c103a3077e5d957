"""What a path may be taken for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy.paths import is_plain, readings, segments


@pytest.mark.parametrize(
    ("target", "read"),
    [
        (b"/", {b"/"}),
        (b"/a/b?c=/../%2e", {b"/a/b"}),
        (b"*", {b"*"}),
        (b"/a.b/c~d", {b"/a.b/c~d"}),
        (b"/%61", {b"/a"}),
        (b"/a/../b", {b"/a/../b", b"/b"}),
        (b"/a/%2e%2e/b", {b"/a/../b", b"/b"}),
        (b"/a/%252e%252e/b", {b"/a/%2e%2e/b", b"/b"}),
        (b"/a//../b", {b"/a//../b", b"/a/b", b"/b"}),
        (b"/a/..;x=1/b", {b"/a/..;x=1/b", b"/b"}),
        (b"/a/..%3bx/b", {b"/a/..;x/b", b"/b"}),
        (b"/a/..\\b", {b"/a/..\\b", b"/b"}),
        (b"/a/%2e%2e%2fb", {b"/a/../b", b"/b"}),
        (b"/a/..", {b"/a/..", b"/"}),
        (b"/a/.", {b"/a/.", b"/a/"}),
        (b"/..", {b"/..", b"/"}),
        (b"/%zz", {b"/%zz"}),
    ],
)
def test_readings(target: bytes, read: set[bytes]) -> None:
    """All that one server or another makes of it."""
    assert set(readings(target)) == read


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (b"/", (b"",)),
        (b"/a/b", (b"a", b"b")),
        (b"/a/b/?q", (b"a", b"b", b"")),
        (b"//a//b", (b"a", b"b")),
        (b"/a/%2e%2e/b", (b"b",)),
        (b"/../../b", (b"b",)),
        (b"/a/..", (b"",)),
        (b"/a%2fb", (b"a/b",)),
        (b"/a%00", (b"a\0",)),
        (b"/%E3%81%82", ("あ".encode(),)),
    ],
)
def test_segments(target: bytes, parts: tuple[bytes, ...]) -> None:
    """Decoded, without dots and empty ones."""
    assert segments(target) == parts


PATHS = st.lists(
    st.sampled_from([b"/", b"..", b".", b"a", b"%2e", b"%2f", b"%", b"\\", b";", b"%00", b"?"])
).map(lambda parts: b"/" + b"".join(parts))


@given(PATHS)
def test_readings_of_anything(target: bytes) -> None:
    """A plain path has one reading, itself; the others have one without any dot segment left."""
    path = target.partition(b"?")[0]
    if is_plain(path):
        assert readings(target) == (path,)
    assert any(
        not {b".", b".."}.intersection(one.split(b"/")[:-1]) for one in readings(target)
    )  # fmt: skip
    assert not {b"", b".", b".."}.intersection(segments(target)[:-1])
