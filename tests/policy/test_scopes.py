"""What a window covers of a site: paths and methods, in whatever spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.windows import planned, site

from sorryd.policy.scopes import as_for, covers
from sorryd.window import UNSAFE, Scope, WindowKind


@pytest.mark.parametrize(
    ("prefix", "target", "is_covered"),
    [
        ("/shop", b"/shop", True),
        ("/shop", b"/shop/", True),
        ("/shop", b"/shop/cart", True),
        ("/shop", b"/shop?item=1", True),
        ("/shop", b"/shopping", False),
        ("/shop", b"/sho", False),
        ("/shop", b"/Shop", False),
        ("/shop", b"/blog?next=/shop", False),
        ("/shop/", b"/shop/cart", True),
        ("/shop/", b"/shop/", True),
        ("/shop/", b"/shop", False),
        ("/", b"/anything", True),
        ("/", b"*", True),
        ("/shop", b"*", False),
        ("/shop", b"/%73hop", True),
        ("/shop", b"/%73%68op/cart", True),
        ("/shop", b"/a/../shop", True),
        ("/shop", b"/a/%2e%2E/shop", True),
        ("/shop", b"/./shop", True),
        ("/shop", b"/../../shop/x", True),
        ("/shop", b"//shop", True),
        ("/shop", b"/shop;id=7/cart", True),
        ("/shop/cart", b"/shop;id=7/cart", True),
        ("/shop", b"/shop%2Fcart", True),
        ("/shop", b"/shop/../blog", False),
        ("/shop", b"/shop/..", False),
        ("/shop/", b"/shop/.", True),
        ("/shop", b"/%zzshop", False),
        ("/shop", b"/shop#item", True),
        ("/%73hop/", b"/shop/x", True),
        ("/店", b"/%E5%BA%97/x", True),
        ("/店", "/店".encode(), True),
        ("/a//b", b"/a/b", True),
    ],
)
def test_paths(prefix: str, target: bytes, is_covered: bool) -> None:
    """A prefix is whole segments, however a request spells them."""
    assert covers(Scope(paths=("/other", prefix)), b"GET", target) is is_covered


@pytest.mark.parametrize(
    ("methods", "method", "is_covered"),
    [
        ((UNSAFE,), b"GET", False),
        ((UNSAFE,), b"HEAD", False),
        ((UNSAFE,), b"OPTIONS", False),
        ((UNSAFE,), b"TRACE", False),
        ((UNSAFE,), b"POST", True),
        ((UNSAFE,), b"PROPFIND", True),
        ((UNSAFE,), b"get", True),
        (("PUT", "GET"), b"GET", True),
        (("PUT", "GET"), b"POST", False),
        (("PUT", UNSAFE), b"DELETE", True),
        ((), b"GET", True),
    ],
)
def test_methods(methods: tuple[str, ...], method: bytes, is_covered: bool) -> None:
    """Methods are covered by name, or all that are not safe; upper and lower case differ."""
    assert covers(Scope(methods=methods), method, b"/") is is_covered


def test_both_must_match() -> None:
    """With paths and methods, both must match; members cover no request."""
    both = Scope(paths=("/shop",), methods=("POST",))
    assert covers(both, b"POST", b"/shop")
    assert not covers(both, b"GET", b"/shop")
    assert not covers(both, b"POST", b"/blog")
    assert not covers(Scope(members=("http://a:1",)), b"GET", b"/")


@pytest.mark.parametrize(
    ("kind", "scope", "methods"),
    [
        (WindowKind.PLANNED, Scope(), (UNSAFE,)),
        (WindowKind.PLANNED, Scope(paths=("/a",)), (UNSAFE,)),
        (WindowKind.PLANNED, Scope(methods=("PUT",)), ("PUT",)),
        (WindowKind.PLANNED, Scope(members=("http://a:1",)), ()),
        (WindowKind.MANUAL, Scope(), ()),
    ],
)
def test_read_only(kind: WindowKind, scope: Scope, methods: tuple[str, ...]) -> None:
    """On a read-only site planned windows refuse unsafe methods, unless they say others."""
    window = planned("w", 0, 1, scope=scope, kind=kind)
    assert as_for(window, site("shop", read_only=True)).scope.methods == methods
    assert as_for(window, site("shop")) is window


SEGMENT = st.sampled_from(["a", "%61", ".", "%2e", "..", "", "b;c", "a%2Fb"])


@given(st.lists(SEGMENT, max_size=6))
def test_spelling_does_not_matter(segments: list[str]) -> None:
    """A path that is percent-encoded once more than needed is covered as it was before."""
    target = "/" + "/".join(segments)
    encoded = "".join(f"%{ord(one):02x}" if one.isalpha() else one for one in target)
    scope = Scope(paths=("/a", "/b/a/"))
    if "%" not in target:
        assert covers(scope, b"GET", target.encode()) is covers(scope, b"GET", encoded.encode())
    assert covers(Scope(paths=("/",)), b"GET", target.encode())
