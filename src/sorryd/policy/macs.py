"""Codes that who does not have a key can't make, and keys made of keys: HMAC-SHA256 (RFC 2104).

Pure. A key is made for each purpose, so that whoever is given one can make nothing else.
"""

from __future__ import annotations

import base64
import hmac


def derived_key(secret: bytes, purpose: bytes) -> bytes:
    """The key that `secret` gives for one purpose."""
    return hmac.digest(secret, purpose, "sha256")


def code(key: bytes, text: str, size: int | None = None) -> bytes:
    """The code of `text`, or its first `size` bytes, in base64url (RFC 4648 §5)."""
    mac = hmac.digest(key, text.encode(), "sha256")
    return base64.urlsafe_b64encode(mac[:size]).rstrip(b"=")
