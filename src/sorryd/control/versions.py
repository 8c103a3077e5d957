"""What runs: versions of sorryd and of what it stands on."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import twisted
from OpenSSL import SSL

from sorryd.replies import VersionResult


@cache
def sorryd_version() -> str:
    """The version that runs; ``unknown`` where it runs from a bare source folder.

    It is that which is installed when it is asked for the first time, which must be early.
    """
    try:
        return version("sorryd")
    except PackageNotFoundError:
        return "unknown"


def versions(started: str) -> VersionResult:
    """All of them. OpenSSL's is that of the library in use; `started` is since when they run."""
    return VersionResult(
        version=sorryd_version(),
        python=platform.python_version(),
        twisted=twisted.__version__,
        openssl=SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii", "replace"),
        started=started,
    )
