"""The result of ``site.bypass``: a secret link, and the field for scripts."""

from __future__ import annotations

from sorryd.model import Value


class FieldResult(Value, frozen=True, kw_only=True):
    """A field of a request."""

    name: str
    value: str


class BypassResult(Value, frozen=True, kw_only=True):
    """How an operator sees `site` while `window` holds it, or a part of it, down.

    `window` null: while the sorry file does. `path` is the link without scheme and host; `urls`
    are whole ones, where these are known from the configuration. It is good until `expires`, or
    until what it is for is over, whichever comes first.
    """

    site: str
    window: str | None
    path: str
    urls: tuple[str, ...]
    header: FieldResult
    expires: str
    warnings: tuple[str, ...] = ()
