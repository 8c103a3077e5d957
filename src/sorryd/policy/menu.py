"""Which forms of the apology there are, and which of them a request gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sorryd.model import PageKind, Value
from sorryd.policy.cross_origin import is_origin
from sorryd.policy.fields import lists, one_value
from sorryd.policy.keeping import keep
from sorryd.policy.negotiation import kind_for, language_for, takes_gzip

_NAMES: Final = frozenset((b"accept:", b"accept-", b"origin:"))
_ACCEPTS: Final = frozenset((b"accept", b"accept-language", b"accept-encoding"))
_FIRST: Final = frozenset(b"AaOo")  # quick to ask of every line
_MOST_ASKED: Final = 512  # sets of fields that are kept ...
_LONGEST_ASKED: Final = 2048  # ... each of no more bytes


class Variant(Value, frozen=True):
    """A form of the apology. `language` None: nobody knows, it is somebody else's page."""

    kind: PageKind
    language: str | None
    is_gzipped: bool = False

    @property
    def plain(self) -> Variant:
        """The same, not compressed."""
        return Variant(self.kind, self.language)


class Wish(NamedTuple):
    """What a request asks for: the `place` of a variant, and the origin it is said to."""

    place: int
    origin: bytes | None


class Menu:
    """The variants that there are, and which of them suits a request. Keeps what it found."""

    def __init__(self, languages: Mapping[PageKind, Sequence[str]]) -> None:
        """`languages` of each kind, the first for all readers; none: not known."""
        self._languages = languages
        self.variants = tuple(
            Variant(kind, language, is_gzipped)
            for kind in PageKind
            for language in (languages[kind] or (None,))
            for is_gzipped in (False, True)
        )
        self._wishes: dict[tuple[bytes, ...], Wish] = {}
        self._of_blocks: dict[bytes, Wish] = {}

    @property
    def remembered(self) -> int:
        """How many sets of fields it knows the wish of."""
        return max(len(self._wishes), len(self._of_blocks))

    def wish(self, lines: Sequence[bytes], block: bytes | None = None) -> Wish:
        """What a request with these field `lines` asks for.

        They are of a `block` that comes again and again, and is found without looking at lines.
        """
        if block is None:
            return self._wish(lines)
        found = self._of_blocks.get(block)
        if found is None:
            found = self._wish(lines)
            keep(self._of_blocks, _MOST_ASKED, block, found)
        return found

    def _wish(self, lines: Sequence[bytes]) -> Wish:
        key = tuple([line for line in lines if line[0] in _FIRST and line[:7].lower() in _NAMES])
        found = self._wishes.get(key)
        return self._read(key) if found is None else found

    def _read(self, lines: tuple[bytes, ...]) -> Wish:
        origin, asked = one_value(lines, b"origin"), lists(lines, _ACCEPTS)
        variant = self.choose(
            _text(asked, b"accept"),
            _text(asked, b"accept-language"),
            _text(asked, b"accept-encoding"),
        )
        place = self.variants.index(variant)
        wish = Wish(place, origin if origin is not None and is_origin(origin) else None)
        if sum(map(len, lines)) <= _LONGEST_ASKED:
            keep(self._wishes, _MOST_ASKED, lines, wish)
        return wish

    def choose(self, accept: str | None, language: str | None, encoding: str | None) -> Variant:
        """The variant for the values of the three Accept fields; None is no field."""
        kind = kind_for(accept)
        offered = self._languages[kind]
        return Variant(
            kind, language_for(language, offered) if offered else None, takes_gzip(encoding)
        )


def _text(asked: Mapping[bytes, bytes], name: bytes) -> str | None:
    return asked[name].decode("latin-1") if name in asked else None
