"""The names of the fields that a proxy must understand, and what is done with each.

What is not in these tables is passed on as it came.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from sorryd.policy.bypass import FIELD

# Small integers, not an enum: they are looked up for every field of every message.
PASSED: Final = 0
"""As it came: what most fields are."""

CONNECTION: Final = 1
DROP: Final = 2
LENGTH: Final = 3
CODING: Final = 4
HOST: Final = 5
EXPECT: Final = 6
UPGRADE: Final = 7
CLAIM: Final = 8
TE: Final = 9
HOPS: Final = 10
DOUBT: Final = 11
LOCATED: Final = 12
COOKIE: Final = 13
BYPASS: Final = 14

_HOP_BY_HOP: Final = (b"keep-alive", b"proxy-connection")
# Belongs to an upgrade that is never passed on; and what CGI programs take for the setting of
# a proxy (HTTP_PROXY), which no client has a reason to send.
_NOT_PASSED: Final = (b"http2-settings", b"proxy")
# What proxies say of where a request came from and who sent it: a stranger's is dropped. Those
# that others drop or write, Traefik, Envoy and oauth2-proxy among them, and what applications
# ask for.
_FORWARDED: Final = (
    b"for", b"host", b"proto", b"protocol", b"port", b"server", b"ssl", b"scheme", b"by",
    b"prefix", b"path", b"uri", b"url", b"method", b"client-cert", b"tls-client-cert",
    b"tls-client-cert-info", b"user", b"email", b"groups", b"preferred-username",
    b"access-token",
)  # fmt: skip
_CLAIMS: Final = (b"forwarded", b"x-real-ip", *(b"x-forwarded-" + word for word in _FORWARDED))


def _spellings(names: Iterable[bytes]) -> Iterable[bytes]:
    """`names`, with "-" or "_" at each place: what reads heads as CGI does sees no difference."""
    for name in names:
        first, *others = name.split(b"-")
        for joints in itertools.product((b"-", b"_"), repeat=len(others)):
            yield first + b"".join(map(bytes.__add__, joints, others))


_BYPASS: Final = FIELD.lower().encode("ascii")

CLAIMS: Final = frozenset(_spellings(_CLAIMS))
"""Fields that say where a request came from, in lower case and all their spellings."""

_BOTH: Final[dict[bytes, int]] = {
    **dict.fromkeys(_HOP_BY_HOP, DROP),
    b"connection": CONNECTION,
    b"content-length": LENGTH,
    b"transfer-encoding": CODING,
    b"upgrade": UPGRADE,
}
RESPONSE_FIELDS: Final[dict[bytes, int]] = {
    **_BOTH,
    b"te": DROP,
    **dict.fromkeys((b"location", b"content-location", b"uri", b"refresh", b"set-cookie"), LOCATED),
}
"""By their names in lower case, those of an answer."""

REQUEST_FIELDS: Final[dict[bytes, int]] = {
    **_BOTH,
    b"host": HOST,
    b"cookie": COOKIE,
    b"expect": EXPECT,
    b"te": TE,
    b"max-forwards": HOPS,
    **dict.fromkeys(_NOT_PASSED, DROP),
    **dict.fromkeys(CLAIMS, CLAIM),
    **dict.fromkeys(_spellings((_BYPASS,)), DROP),
    _BYPASS: BYPASS,
    # Read by CGI-like interfaces as the framing that we did not see.
    b"content_length": DOUBT,
    b"transfer_encoding": DOUBT,
}
"""By their names in lower case, those of a request."""
