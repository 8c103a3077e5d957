"""How a site is reached, as far as its configuration tells."""

from __future__ import annotations

from typing import Any

import pytest
from tests.policy.windows import site

from sorryd.model import Listen
from sorryd.policy.urls import site_urls

HTTP, HTTPS = Listen(host="0.0.0.0", port=80), Listen(host="::", port=443, tls=True)


@pytest.mark.parametrize(
    ("listen", "fields", "urls"),
    [
        ([HTTP], {"hosts": ("a.example",)}, ["http://a.example"]),
        ([HTTP, HTTPS], {"hosts": ("a.example",)}, ["https://a.example", "http://a.example"]),
        ([HTTP, HTTPS], {"hosts": ("a.example",), "redirect_https": True}, ["https://a.example"]),
        ([HTTP], {"hosts": ("a.example", "*.a.example")}, ["http://a.example"]),
        ([HTTP], {"hosts": ("*.a.example",)}, []),
        ([HTTP], {}, []),
        ([Listen(host="127.0.0.1", port=8080)], {}, ["http://127.0.0.1:8080"]),
        ([Listen(host="::1", port=8443, tls=True)], {}, ["https://[::1]:8443"]),
        ([Listen(host="127.0.0.1", port=0)], {"hosts": ("a.example",)}, []),
        ([Listen(host="127.0.0.1", port=80, proxy=True)], {"hosts": ("a.example",)}, []),
        ([Listen(host="", port=0, path="/run/a.sock")], {"hosts": ("a.example",)}, []),
        ([Listen(host="", port=0, name="web", tls=True)], {"hosts": ("a.example",)}, []),
        ([HTTP, Listen(host="::", port=80)], {"hosts": ("a", "b")}, ["http://a", "http://b"]),
    ],
)
def test_site_urls(listen: list[Listen], fields: dict[str, Any], urls: list[str]) -> None:
    """By host and listener, https first, each once; nothing that is only guessed."""
    assert list(site_urls(site("shop", **{"listen": tuple(listen), **fields}))) == urls
