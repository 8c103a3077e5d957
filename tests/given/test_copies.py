"""Copies of fetched pages on disk: whole, for their URL only, and in their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sorryd.given.copies import Copy, CopyFault, copy_path, read_copy, write_copy
from sorryd.snapshot import GivenPage

URL = "https://pages.example/sorry"
COPY = Copy(
    url=URL,
    page=GivenPage(body=bytes(range(256)), media_type="text/html", since=5.5),
    etag='"one"',
    modified="Sat, 21 Nov 2026 21:23:33 GMT",
)
NAMES = ["shop", "..", ".", "-", "a" * 300, "shop.example.com", "shop_1"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_kept_is_there_again(tmp_path: Path, name: str) -> None:
    """For any name that a site may have, in a file of its own below the folder."""
    write_copy(str(tmp_path), name, COPY)
    assert read_copy(str(tmp_path), name, URL) == COPY
    (file,) = (tmp_path / "fetched").iterdir()
    assert str(file) == copy_path(str(tmp_path), name)
    assert file.stat().st_mode & 0o777 == 0o600


def test_each_site_has_its_own() -> None:
    """Names that begin alike, or differ in case, share no file."""
    names = [*NAMES, "a" * 299, "Shop", "a" * 64]
    assert len({copy_path("/folder", name).lower() for name in names}) == len(names)


def test_of_another_url(tmp_path: Path) -> None:
    """What came from elsewhere is not what is asked for."""
    write_copy(str(tmp_path), "shop", COPY)
    assert read_copy(str(tmp_path), "shop", URL + "?") is None


def test_none(tmp_path: Path) -> None:
    """Nothing was kept yet."""
    assert read_copy(str(tmp_path), "shop", URL) is None


@pytest.mark.parametrize("data", [b"", b"\xc1", b"{}", b"\x81\xa3url\xa1x", b"x" * 5_000_000])
def test_spoilt(tmp_path: Path, data: bytes) -> None:
    """What sorryd has not written so is told, and not used."""
    write_copy(str(tmp_path), "shop", COPY)
    path = Path(copy_path(str(tmp_path), "shop"))
    path.write_bytes(data)
    with pytest.raises(CopyFault, match="is not what sorryd has written; it is not used"):
        read_copy(str(tmp_path), "shop", URL)


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    """One line says what is wrong."""
    (tmp_path / "fetched").touch()
    with pytest.raises(CopyFault, match="Not a directory"):
        write_copy(str(tmp_path), "shop", COPY)
    with pytest.raises(CopyFault, match="Not a directory"):
        read_copy(str(tmp_path), "shop", URL)
    assert os.listdir(tmp_path) == ["fetched"]
