"""The line-tracking reader: what it takes, what it refuses, and at which line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd import ini
from sorryd.ctl.locate import UnreadableError, find_socket


def faults(text: str | bytes) -> list[str]:
    """The faults of a file, as an operator reads them."""
    data = text.encode() if isinstance(text, str) else text
    return [str(fault) for fault in ini.parse("f.ini", data).faults]


def pieces(text: str | bytes) -> list[tuple[int, str]]:
    """The lines of key `k` in the first section."""
    data = text.encode() if isinstance(text, str) else text
    document = ini.parse("f.ini", data)
    assert document.faults == []
    section = next(iter(document.sections.values()))
    return [(piece.line, piece.text) for piece in section.entries["k"].pieces]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[s]\nk = v", [(2, "v")], id="plain"),
        pytest.param("[s]\nk=v", [(2, "v")], id="no-blanks"),
        pytest.param("[s]\nk = a = b", [(2, "a = b")], id="equals-in-value"),
        pytest.param("[s]\nk =", [], id="empty"),
        pytest.param("[s]\nk = ; nothing", [], id="empty-with-comment"),
        pytest.param("[s]\nk = v ; c", [(2, "v")], id="comment-after-value"),
        pytest.param("[s]\nk = v\t# c", [(2, "v")], id="hash-after-tab"),
        pytest.param("[s]\nk = v;w#x", [(2, "v;w#x")], id="marks-inside-a-word"),
        pytest.param("; c\n# c\n  ; c\n[s] ; c\nk = v", [(5, "v")], id="comment-lines"),
        pytest.param("[s]\nk =\n  a\n  b", [(3, "a"), (4, "b")], id="continued"),
        pytest.param("[s]\nk = a\n\tb", [(2, "a"), (3, "b")], id="continued-from-key-line"),
        pytest.param(
            "[s]\nk =\n  a\n\n; c\n  ; c\n  b", [(3, "a"), (7, "b")], id="gaps-and-comments"
        ),
        pytest.param("[s]\n  k = a\n    b\n  l = c", [(2, "a"), (3, "b")], id="indented-keys"),
        pytest.param("[s]\nk =\n  [x]\n  y = z", [(3, "[x]"), (4, "y = z")], id="deep-lookalikes"),
        pytest.param("[s]\r\nk = v\r\n", [(2, "v")], id="crlf"),
        pytest.param(b"\xef\xbb\xbf[s]\nk = v", [(2, "v")], id="bom"),
        pytest.param("[s]\nk = Größe 保守", [(2, "Größe 保守")], id="utf-8"),
        pytest.param("[ s   t ]\nk = v", [(2, "v")], id="blanks-in-the-name"),
    ],
)
def test_values(text: str | bytes, expected: list[tuple[int, str]]) -> None:
    """Each line of a value keeps its own number, without comments and outer white space."""
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[s]\nword", ["f.ini:2: [s] neither a [section] nor a key = value: word"],
                     id="neither"),
        pytest.param("[s]\nword\n  deeper\nk = v\n  w",
                     ["f.ini:2: [s] neither a [section] nor a key = value: word"],
                     id="bad-line-swallows-deeper-ones"),
        pytest.param("k = v\n  w\n[s]", ["f.ini:1: k: stands before the first [section]"],
                     id="before-section"),
        pytest.param("word\n[s]", ["f.ini:1: neither a [section] nor a key = value: word"],
                     id="word-before-section"),
        pytest.param("[s]\n= v", ["f.ini:2: [s] a value without a key"], id="no-key"),
        pytest.param("[s]\nk = 1\nl = 2\nk = 3\n  4", ["f.ini:4: [s] k: is already at line 2"],
                     id="duplicate-key"),
        pytest.param("[s]\nk = 1\n[t]\nk = 1\n[s]\nk = 2",
                     ["f.ini:5: [s] the section is already at line 1",
                      "f.ini:6: [s] k: is already at line 2"],
                     id="duplicate-section"),
        pytest.param("[s\nk = 1", ["f.ini:1: [s] the ] after the section's name is missing"],
                     id="unclosed"),
        pytest.param("[]", ["f.ini:1: [] a section without a name"], id="nameless"),
        pytest.param("[s] x = 1", ["f.ini:1: [s] text after the section's name: x = 1"],
                     id="text-after-header"),
        pytest.param(b"[s]\nk = \xff\nl = \xfe",
                     ["f.ini:2: [s] byte 0xff is not UTF-8", "f.ini:3: [s] byte 0xfe is not UTF-8"],
                     id="not-utf-8"),
        pytest.param(b"[s]\n; \xe4", ["f.ini:2: [s] byte 0xe4 is not UTF-8"],
                     id="not-utf-8-in-comment"),
        pytest.param("[s]\nk = a\0b", ["f.ini:2: [s] control character 0x00"], id="nul"),
        pytest.param("[s]\rk = a", ["f.ini:1: control character 0x0d",
                                    "f.ini:1: [s] text after the section's name: \ufffdk = a"],
                     id="bare-cr"),
        pytest.param("[s]\nk = \x9b2J", ["f.ini:2: [s] control character 0x9b"], id="c1"),
    ],
)  # fmt: skip
def test_faults(text: str | bytes, expected: list[str]) -> None:
    """Every fault is told, each at its line, and none brings a second one with it."""
    assert faults(text) == expected


@given(st.binary() | st.text("[]=;# \t\r\nab\ufeff\x00").map(str.encode))
def test_any_bytes_are_read(data: bytes) -> None:
    """Whatever the bytes, nothing is raised and every line number exists in the file."""
    document = ini.parse("f.ini", data)
    lines = data.count(b"\n") + 1
    assert all(1 <= fault.line <= lines for fault in document.faults)
    for section in document.sections.values():
        for entry in section.entries.values():
            assert all(entry.line <= piece.line <= lines for piece in entry.pieces)
            assert all(piece.text.strip(" \t") == piece.text != "" for piece in entry.pieces)


_WORD = st.text("abcdefgh/.:-", min_size=1)


@given(st.lists(st.tuples(_WORD, st.lists(_WORD, max_size=4)), unique_by=lambda pair: pair[0]))
def test_what_is_written_is_read(entries: list[tuple[str, list[str]]]) -> None:
    """Keys and the lines of their values come back as they were written."""
    text = "[s]\n" + "".join(
        f"{key} =\n" + "".join(f"  {word}\n" for word in words) for key, words in entries
    )
    document = ini.parse("f.ini", text.encode())
    assert document.faults == []
    assert [
        (entry.key, [piece.text for piece in entry.pieces])
        for entry in document.sections["s"].entries.values()
    ] == entries


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    """A file that is not there is told like any other fault, at line 1."""
    path = str(tmp_path / "none.ini")
    document = ini.read(path)
    assert [str(fault) for fault in document.faults] == [
        f"{path}:1: cannot be read: No such file or directory"
    ]


def test_a_fifo_is_a_fault(tmp_path: Path) -> None:
    """A FIFO is refused rather than waited for, by sorryctl too."""
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    assert [str(fault) for fault in ini.read(path).faults] == [
        f"{path}:1: cannot be read: not a file"
    ]
    with pytest.raises(UnreadableError, match="not a file"):
        find_socket(None, path)


@pytest.mark.parametrize("path", ["/", "a\0b"], ids=["folder", "nul"])
def test_what_is_no_file_is_a_fault(path: str) -> None:
    """A folder or an impossible name is told, not raised."""
    assert [fault.line for fault in ini.read(path).faults] == [1]


def test_a_huge_file_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file larger than the limit is refused whole."""
    monkeypatch.setattr(ini, "LIMIT", 10)
    path = tmp_path / "f.ini"
    path.write_text("[s]\nk = 1\n; x")
    assert str(ini.read(str(path)).faults[0]) == f"{path}:1: larger than 10 bytes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[sorryd]\ncontrol = ../var/c.sock ; here", "var/c.sock", id="relative"),
        pytest.param("[sorryd]\ncontrol = /run/c.sock", "/run/c.sock", id="absolute"),
        pytest.param("[sorryd]\ncontrol =\n  c.sock", "etc/c.sock", id="on-the-next-line"),
        pytest.param("junk\n[sorryd]\ncontrol = c.sock", "etc/c.sock", id="faults-elsewhere"),
        pytest.param("[sorryd]\ncontrol =", None, id="empty"),
        pytest.param("[sorryd]\ncontrol = a\n  b", None, id="two-lines"),
        pytest.param("[site control]\ncontrol = a", None, id="other-section"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_control_path(tmp_path: Path, text: str, expected: str | None) -> None:
    """sorryctl finds the socket that the daemon of this file has, relative to the file."""
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "sorryd.ini"
    file.write_text(text)
    found = ini.control_path(str(file))
    assert found == (None if expected is None else os.path.join(tmp_path, expected))


def test_control_path_without_a_file() -> None:
    """Where there is no file there is no socket either."""
    assert ini.control_path("/nowhere/sorryd.ini") is None


def test_the_import_is_cheap() -> None:
    """sorryctl must start at once: the reader brings in nothing that costs time."""
    code = "import sys; old = set(sys.modules); import sorryd.ini; print(*set(sys.modules) - old)"
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(ini.__file__).parents[1])},
    )
    assert set(process.stdout.split()) <= {"sorryd", "sorryd.ini", "__future__"}
