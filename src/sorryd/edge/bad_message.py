"""What is wrong with a message, in a way that it must not be passed on."""

from __future__ import annotations


class BadMessage(Exception):
    """A message that must not be passed on.

    `status` is what its sender is told (RFC 9110 §15.5, §15.6); `why` is for the log and for
    the short body of that answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why
