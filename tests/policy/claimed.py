"""Requests with claims of where they came from."""

from __future__ import annotations

from sorryd.policy.forwarding import Trusted

HOST = b"shop.example"
NEAR = "10.0.0.1"
"""A trusted proxy."""

TRUSTED = Trusted(("10.0.0.0/8", "2001:db8:1::/48", "unix"))


class Head:
    """A request's head, as far as its claims matter."""

    def __init__(self, *claims: bytes, host: bytes = HOST) -> None:
        self.host = host
        self.claims = list(claims) or None
