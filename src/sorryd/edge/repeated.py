"""Heads that visitors send again and again: read once for all.

Browsers, load balancers and scripts repeat their field lines byte for byte, on one connection and
on the next; the target alone is another one. To read them is most of the work for an apology, and
a good part of that for what a member answers.
"""

from __future__ import annotations

import re
from typing import Final

from sorryd.policy.heads import KnownFields, RequestHead
from sorryd.policy.keeping import keep

LONGEST: Final = 2048
"""Bytes of field lines that are kept, at most."""

MOST_SHARED: Final = 256
"""Sets of field lines that all connections share ..."""

LONGEST_SHARED: Final = 1024
"""... each of no more bytes."""

_MOST_ONCE: Final = 4096
_AROUND: Final = len(b" HTTP/1.1\r\n\r\n\r\n")  # field lines, behind a target
_SLASH: Final = 0x2F
# What a target is made of: see http1.py.
_is_target: Final = re.compile(rb"/[!\"$-~\x80-\xff]*+").fullmatch
_MOST_TARGETS: Final = 1024  # that were judged ...
_LONGEST_TARGET: Final = 128  # ... each of no more bytes


class Shared:
    """What many visitors say again and again, on whichever connection."""

    __slots__ = ("_known", "_once")

    def __init__(self) -> None:
        self._known: dict[bytes, KnownFields] = {}
        self._once: set[int] = set()

    @property
    def remembered(self) -> int:
        """How many sets of field lines it knows."""
        return len(self._known)

    def find(self, behind: bytes) -> KnownFields | None:
        """What is known of a head with this behind its target."""
        return self._known.get(behind)

    def is_second(self, behind: bytes) -> bool:
        """Whether this came before: what comes once may never come again."""
        # Of what came once no more is kept than its hash. If two have the same, one of them is
        # believed to be repeated: what is then kept of it is its own.
        once, hashed = self._once, hash(behind)
        if hashed in once:
            return True
        if len(once) >= _MOST_ONCE:
            once.clear()
        once.add(hashed)
        return False

    def keep(self, known: KnownFields) -> None:
        """For all connections, if others may say the same."""
        if len(known.behind) > LONGEST_SHARED or known.is_personal:
            return
        keep(self._known, MOST_SHARED, known.behind, known)


_shared: Final = Shared()
_targets: Final[set[bytes]] = set()


class Repeated:
    """What a visitor says again and again on one connection, if anything."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: KnownFields | None = None

    def read(self, data: bytes, limit: int) -> RequestHead | None:
        """The head that `data` is, where it is one of at most `limit` bytes, nothing else, and
        differs from the one before at most in its target."""
        known = self._known
        if (
            known is None
            or len(data) > limit
            or not data.endswith(known.behind)
            or not data.startswith(known.before)
        ):
            return None
        target = data[len(known.before) : len(data) - len(known.behind)]
        if target not in _targets:
            if _is_target(target) is None:
                return None
            if len(target) <= _LONGEST_TARGET:
                if len(_targets) >= _MOST_TARGETS:
                    _targets.clear()
                _targets.add(target)
        return known.head(target)

    def known(self, method: bytes, target: bytes, behind: bytes) -> RequestHead | None:
        """The head with this `behind` its target, if it is known."""
        known = _shared.find(behind)
        if known is None or target[0] != _SLASH or known.before[:-1] != method:
            return None
        self._known = known
        return known.head(target)

    def learn(self, head: RequestHead, behind: bytes) -> RequestHead:
        """`head` as it was read just now, of a target that is a path: known from now on, if it
        came before."""
        size = len(behind) - _AROUND
        if head.has_body or not 0 < size <= LONGEST or not _shared.is_second(behind):
            return head
        known = self._known = KnownFields(head, behind)
        _shared.keep(known)
        return known.head(head.target)
