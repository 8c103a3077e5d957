"""The key of the sticky cookies: made once, kept, its owner's alone; refused where it is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sorryd.edge.cookie_key import NAME, CookieKeyFault, cookie_key


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_made_once(tmp_path: Path, umask: int) -> None:
    """The first start makes it, for its owner's eyes; the others find it."""
    before = os.umask(umask)
    try:
        key = cookie_key(str(tmp_path))
    finally:
        os.umask(before)
    assert len(key) == 32
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert cookie_key(str(tmp_path)) == key
    assert os.listdir(tmp_path) == [NAME]


def test_each_its_own(tmp_path: Path) -> None:
    """No two are the same, but a copy is."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    key = cookie_key(str(one))
    assert key != cookie_key(str(two))
    (two / NAME).write_bytes((one / NAME).read_bytes())
    assert cookie_key(str(two)) == key


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"00" * 31 + b"\n", id="too short"),
        pytest.param(b"00" * 33 + b"\n", id="too long"),
        pytest.param(b"g0" * 32 + b"\n", id="no digits"),
        pytest.param(b"\xff" * 64, id="no text"),
        pytest.param(b"00" * 1_000_000, id="far too long"),
    ],
)
def test_no_key(tmp_path: Path, content: bytes) -> None:
    """Something else in its place is an error, and is left alone."""
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(CookieKeyFault, match=r"cookies\.key: not a key of 64 hexadecimal digits"):
        cookie_key(str(tmp_path))
    assert (tmp_path / NAME).read_bytes() == content


def test_no_folder(tmp_path: Path) -> None:
    """Where it can't be made, the error says where and why, and no draft is left."""
    with pytest.raises(CookieKeyFault, match=r"cookies\.key: No such file or directory"):
        cookie_key(str(tmp_path / "missing"))


def test_no_file(tmp_path: Path) -> None:
    """A folder in its place can't be read."""
    (tmp_path / NAME).mkdir()
    with pytest.raises(CookieKeyFault, match=r"cookies\.key: Is a directory"):
        cookie_key(str(tmp_path))


def test_crash_while_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that fails half-way leaves neither a key nor a draft of one."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(CookieKeyFault, match="No space left on device"):
            cookie_key(str(tmp_path))
    assert os.listdir(tmp_path) == []
    assert len(cookie_key(str(tmp_path))) == 32
