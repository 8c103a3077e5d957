"""A request's and a response's head as values, and what is wrong with one."""

from __future__ import annotations

from sorryd.policy.heads import KnownFields, RequestHead, ResponseHead

__all__ = ("BadMessage", "KnownFields", "RequestHead", "ResponseHead")


class BadMessage(Exception):
    """A message that must not be passed on.

    `status` is what its sender is told (RFC 9110 §15.5, §15.6); `why` is for the log and for
    the short body of that answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why
