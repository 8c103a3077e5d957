"""What runs: versions of sorryd and of what it stands on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import twisted
from OpenSSL import SSL

from sorryd.replies import VersionResult


def sorryd_version() -> str:
    """The version that is installed; ``unknown`` where it runs from a bare source folder."""
    try:
        return version("sorryd")
    except PackageNotFoundError:
        return "unknown"


def versions() -> VersionResult:
    """All of them. OpenSSL's is that of the library in use."""
    return VersionResult(
        version=sorryd_version(),
        python=platform.python_version(),
        twisted=twisted.__version__,
        openssl=SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii", "replace"),
    )
