"""Which keys sorryd.ini has, and the taking of them from one section."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from sorryd import ini
from sorryd.config_values import BadValue, shown

T = TypeVar("T")

DAEMON: Final = (
    *("control", "control_mode", "control_group", "state", "workers", "timezone"),
    *("nameserver", "access_log", "access_log_format", "down_limit", "shutdown", "retire"),
    *("user", "group", "admin"),
)
SITE: Final = (
    *("listen", "hosts", "certificate", "private_key", "tls_min", "trusted_proxies"),
    *("redirect_https", "members", "balance", "sticky_cookie", "check", "retry", "fail_on"),
    *("slow_start", "max_queue", "preserve_host", "rewrite_location", "read_only"),
    *("timeout_connect", "timeout_header", "timeout_idle", "timeout_body", "timeout_stream"),
    *("timeout_tunnel", "timeout_answer", "timeout_queue", "max_header_bytes"),
    *("max_body_bytes", "max_connections", "timezone", "sorry_page", "sorry_status"),
    *("sorry_mode", "sorry_assets", "sorry_file", "retry_after", "drain", "announce"),
    *("exempt", "bypass_networks", "bypass_secret_file", "hook"),
)


class Keys:
    """The keys of one section; what is wrong with them is added to `faults`.

    A key with an empty value counts as left out.
    """

    def __init__(self, file: str, section: ini.Section, faults: list[ini.Fault]) -> None:
        self.file = file
        self._section = section
        self._faults = faults
        self._wrong: set[str | None] = set()

    def one(self, key: str, read: Callable[[str], T], default: T) -> T:
        """The value of a key that takes one line; the default where it is left out or bad."""
        pieces = self._pieces(key)
        if len(pieces) > 1:
            self.fault(key, "takes one line (is this one indented?)", pieces[1].line)
            return default
        values = self._values(key, pieces, read)
        return values[0][1] if values else default

    def lines(self, key: str, read: Callable[[str], T]) -> tuple[tuple[int, T], ...]:
        """A value for each line of a key, with the line's number; bad ones are left out."""
        return self._values(key, self._pieces(key), read)

    def items(self, key: str, read: Callable[[str], T]) -> tuple[tuple[int, T], ...]:
        """As `lines`, but a line may hold several, with commas between them."""
        parts = (
            ini.Piece(piece.line, part.strip())
            for piece in self._pieces(key)
            for part in piece.text.split(",")
            if part.strip()
        )
        return self._values(key, parts, read)

    def has(self, key: str) -> bool:
        """Whether the key has a value, good or bad."""
        return bool(self._pieces(key))

    def is_sound(self, key: str) -> bool:
        """Whether nothing was found wrong with the key yet."""
        return key not in self._wrong

    def line(self, key: str) -> int:
        """The line of a key; the section's where it is left out."""
        entry = self._section.entries.get(key)
        return self._section.line if entry is None else entry.line

    def fault(self, key: str | None, text: str, line: int | None = None) -> None:
        """Note a fault, at the key's line where no other is given."""
        if line is None:
            line = self._section.line if key is None else self.line(key)
        self._wrong.add(key)
        self._faults.append(ini.Fault(self.file, line, self._section.name, key, text))

    def absolute(self, path: str) -> str:
        """A path of the file in absolute form."""
        return ini.absolute(self.file, path)

    def refuse_others(self, known: Iterable[str]) -> None:
        """Note the keys that are unknown."""
        known = tuple(known)
        for key, entry in self._section.entries.items():
            if key not in known:
                self.fault(key, f"unknown key{_meant(key, known)}", entry.line)

    def _pieces(self, key: str) -> list[ini.Piece]:
        entry = self._section.entries.get(key)
        return [] if entry is None else entry.pieces

    def _values(
        self, key: str, pieces: Iterable[ini.Piece], read: Callable[[str], T]
    ) -> tuple[tuple[int, T], ...]:
        values: list[tuple[int, T]] = []
        for piece in pieces:
            try:
                values.append((piece.line, read(piece.text)))
            except BadValue as bad:
                for text in bad.texts:
                    self.fault(key, text, piece.line)
        return tuple(values)


def _meant(key: str, known: tuple[str, ...]) -> str:
    """What the writer probably meant, as the end of a sentence."""
    others = {"sorryd": DAEMON, "site NAME": SITE}
    for section, keys in others.items():
        if key in keys:
            return f" here (it belongs in [{section}])"
    close = difflib.get_close_matches(shown(key).lower(), known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
