"""What is said of certificates that are not good, or soon won't be."""

from __future__ import annotations

import pytest

from sorryd.policy.expiry import early, warning
from sorryd.reports import ShownCertificate

NOW = 1795280400.0
DAY = 86400.0


@pytest.mark.parametrize(
    ("left", "said"),
    [
        pytest.param(90 * DAY, "", id="months"),
        pytest.param(21 * DAY + 1, "", id="over three weeks"),
        pytest.param(21 * DAY, "expires in 21 days", id="three weeks"),
        pytest.param(21 * DAY - 1, "expires in 20 days", id="less than three weeks"),
        pytest.param(2 * DAY, "expires in 2 days", id="two days"),
        pytest.param(2 * DAY - 1, "expires in 1 day", id="a day and some"),
        pytest.param(DAY - 1, "expires within a day", id="less than a day"),
        pytest.param(1, "expires within a day", id="a second"),
        pytest.param(0, "has expired", id="now"),
        pytest.param(-DAY + 1, "has expired", id="today"),
        pytest.param(-DAY, "expired 1 day ago", id="yesterday"),
        pytest.param(-400 * DAY, "expired 400 days ago", id="long ago"),
    ],
)
def test_warning(left: float, said: str) -> None:
    """Three weeks ahead it is said how long a certificate is good, and after that how long not."""
    shown = ShownCertificate(site="shop", file="shop.pem", names=("a.test",), expires=NOW + left)
    assert warning(shown, NOW) == said


@pytest.mark.parametrize(
    ("left", "said"),
    [
        pytest.param(-90 * DAY, "", id="long valid"),
        pytest.param(0, "", id="from now"),
        pytest.param(1, "is not valid yet, by the clock of this machine", id="in a second"),
        pytest.param(
            DAY, "is not valid for 1 day more, by the clock of this machine", id="tomorrow"
        ),
    ],
)
def test_early(left: float, said: str) -> None:
    """One that is not valid yet is told of, and that the clock may be what is wrong."""
    assert early(NOW + left, NOW) == said
