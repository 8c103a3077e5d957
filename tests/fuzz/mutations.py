"""What is done to bytes by chance: small damage, and cuts into pieces."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Final

from tests.fuzz.case import Line

ODD_BYTES: Final = (
    b"\x00", b"\n", b"\r", b"\r\n", b"\t", b" ", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xff",
    b"\x85", b":", b";", b",", b"=", b'"', b"\\", b"_", b"-", b"+", b"0", b"1", b"9", b"a", b"F",
    b"x", b"#", b"\xc2\xa0", b"\r\n\r\n", b"\n\n", b"\r\r\n", b" \r\n", b"\r\n ", b"\r\n\t",
)  # fmt: skip
_ENDS: Final = (b"\n", b"\r", b"\r\r\n", b"\n\r", b"", b"\r\n\r\n", b" \r\n", b"\r\n ", b"\x00\r\n")


def insert(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(words or ODD_BYTES) + data[at:]


def insert_odd(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    return insert(random, data, ODD_BYTES)


def insert_at_line(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """A word where a line begins, with or without its own end."""
    lines = data.split(b"\r\n")
    lines.insert(random.randint(0, len(lines)), random.choice(words or ODD_BYTES))
    return b"\r\n".join(lines)


def delete(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at, end = _part(random, data)
    return data[:at] + data[end:]


def double(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at, end = _part(random, data)
    return data[:end] + data[at:]


def move(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at, end = _part(random, data)
    rest = data[:at] + data[end:]
    to = random.randint(0, len(rest))
    return rest[:to] + data[at:end] + rest[to:]


def flip(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << random.randrange(8)),)) + data[at + 1 :]


def replace(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(ODD_BYTES) + data[at + 1 :]


def other_line_end(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    if len(lines) < 2:
        return data
    at = random.randint(1, len(lines) - 1)
    left, right = b"\r\n".join(lines[:at]), b"\r\n".join(lines[at:])
    return left + random.choice(_ENDS) + right


def swap_lines(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    lines = data.split(b"\r\n")
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\r\n".join(lines)


def other_number(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    digits = [at for at, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    if not digits:
        return data
    at = random.choice(digits)
    return data[:at] + random.choice((b"0", b"1", b"9", b"00", b"a", b"", b"-1")) + data[at + 1 :]


def _part(random: Random, data: bytes) -> tuple[int, int]:
    at = random.randint(0, len(data))
    longest = random.choice((1, 2, 8, 40, len(data)))
    return at, min(len(data), at + random.randint(0, longest))


Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]
MUTATIONS: Final[Sequence[Mutation]] = (
    insert, insert_odd, insert_at_line, delete, double, move, flip, replace, other_line_end,
    swap_lines, other_number,
)  # fmt: skip


def mutated(random: Random, data: bytes, words: Sequence[bytes], most: int = 4) -> bytes:
    """`data`, damaged up to `most` times; `words` are what is put in."""
    for _ in range(random.randint(1, most)):
        data = random.choice(MUTATIONS)(random, data, words)
    return data


def cut(random: Random, data: bytes) -> list[bytes]:
    """`data` in pieces, none of them empty: mostly a few, sometimes byte by byte."""
    kind = random.randrange(10)
    if kind < 4 or len(data) < 2:
        return [data] if data else []
    if kind == 4 and len(data) < 400:
        return [data[at : at + 1] for at in range(len(data))]
    if kind < 7:  # at the places where heads, lines and chunks end
        places = [at + 2 for at in range(len(data) - 2) if data[at : at + 2] == b"\r\n"]
        places = sorted(random.sample(places, min(len(places), random.randint(1, 4))))
    else:
        places = sorted(random.randrange(1, len(data)) for _ in range(random.randint(1, 5)))
    edges = [0, *places, len(data)]
    pieces = (data[a:b] for a, b in itertools.pairwise(edges))
    return [piece for piece in pieces if piece]


def said(random: Random, data: bytes) -> list[Line]:
    """`data`, cut, as the lines of a case: ``says``, or ``adds`` where it comes in one burst."""
    pieces = cut(random, data)
    alone = 0.5 if len(pieces) < 10 else 0.03
    words = ("says" if random.random() < alone else "adds" for _ in pieces)
    return [Line(word, piece) for word, piece in zip(words, pieces, strict=True)]


def bursts(case: Iterable[Line]) -> Iterator[list[bytes]]:
    """The pieces that were said, those together that come in one burst."""
    burst: list[bytes] = []
    for line in case:
        if line.word == "says" and burst:
            yield burst
            burst = []
        if line.word in ("says", "adds") and line.data:
            burst.append(line.data)
    if burst:
        yield burst
