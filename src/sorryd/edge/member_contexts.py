"""The TLS settings of members: read when the first connection needs them, and at each reload."""

from __future__ import annotations

from collections.abc import Iterable

from OpenSSL import SSL
from twisted.logger import Logger

from sorryd.edge.member_tls import member_context
from sorryd.edge.tls import TlsFault
from sorryd.model import Member, MemberTls

log = Logger()


class MemberContexts:
    """One context for all members with the same settings."""

    def __init__(self) -> None:
        self._contexts: dict[MemberTls, SSL.Context] = {}

    def of(self, member: Member) -> SSL.Context:
        """The context of an ``https://`` member. Raises TlsFault."""
        assert member.tls is not None
        context = self._contexts.get(member.tls)
        if context is None:
            context = self._contexts[member.tls] = member_context(member.tls)
        return context

    def renew(self, members: Iterable[Member]) -> None:
        """Read the files of `members` anew, and forget all others.

        Files that are broken by now are said in the log; what was read before holds on.
        """
        before, self._contexts = self._contexts, {}
        for member in members:
            if member.tls in before and member.tls not in self._contexts:
                self._contexts[member.tls] = _renewed(member, before[member.tls])


def _renewed(member: Member, before: SSL.Context) -> SSL.Context:
    assert member.tls is not None
    try:
        return member_context(member.tls)
    except TlsFault as fault:
        log.error(
            "member {url}: {fault}; as it was before, it holds on", url=member.url, fault=fault
        )
        return before
