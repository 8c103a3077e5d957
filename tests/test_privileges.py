"""Who sorryd becomes: what is asked of the system, and what is refused."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.control.world import CONFIG

from sorryd.model import Config
from sorryd.privileges import PrivilegeFault, take_identity

SELF = pwd.getpwuid(os.geteuid())
OTHER = next(one for one in pwd.getpwall() if one.pw_uid not in (0, SELF.pw_uid))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What the system is asked for; it does nothing."""
    calls: list[tuple[object, ...]] = []
    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(os, name, lambda *ids, name=name: calls.append((name, *ids)))
    return calls


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """One with files of its own, which is sound."""
    ini = "[site shop]\nlisten = 127.0.0.1:80\nmembers = http://127.0.0.1:9\n"
    (tmp_path / "sorryd.ini").write_text(ini)
    return replace(
        CONFIG,
        file=str(tmp_path / "sorryd.ini"),
        state=str(tmp_path / "sorryd.db"),
        control=str(tmp_path / "control.sock"),
    )


def test_nobody_is_asked_for(asked: list[tuple[object, ...]], config: Config) -> None:
    """Without the keys, and where it is that user, nothing happens."""
    take_identity(config)
    group = grp.getgrgid(os.getegid()).gr_name
    take_identity(replace(config, user=SELF.pw_name, group=group))
    assert asked == []


def test_the_order(asked: list[tuple[object, ...]], config: Config) -> None:
    """Groups go first: a user that is root no more can't change them."""
    take_identity(replace(config, user=OTHER.pw_name))
    gid, uid = OTHER.pw_gid, OTHER.pw_uid
    groups = tuple(os.getgrouplist(OTHER.pw_name, gid))
    assert asked == [("setgroups", groups), ("setresgid", gid, gid, gid),
                     ("setresuid", uid, uid, uid)]  # fmt: skip


@pytest.mark.parametrize(
    ("uid", "why"),
    [
        (
            OTHER.pw_uid,
            "only root can become another, and sorryd was started by the user "
            f"{pwd.getpwuid(OTHER.pw_uid).pw_name}: start it as root, or leave the key out",
        ),
        (0, "root may not become another here: that takes CAP_SETUID and CAP_SETGID"),
    ],
    ids=["somebody", "root without capabilities"],
)
def test_who_can_not(
    asked: list[tuple[object, ...]],
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    uid: int,
    why: str,
) -> None:
    """Who may not become another is told so, with what it takes."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setgroups", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    with pytest.raises(PrivilegeFault) as refused:
        take_identity(replace(config, user=OTHER.pw_name))
    assert str(refused.value) == f"user = {OTHER.pw_name}: {why}"
    assert asked == []


def test_a_user_that_is_gone(asked: list[tuple[object, ...]], config: Config) -> None:
    """It was there when the file was checked."""
    with pytest.raises(PrivilegeFault, match="user = no-such-user: "):
        take_identity(replace(config, user="no-such-user"))


def test_a_file_that_is_refused(asked: list[tuple[object, ...]], config: Config) -> None:
    """What the user finds wrong with it is told, as at a reload."""
    Path(config.file).write_text("[sorryd]\nworker = 1\n[site shop]\nmember = 2\n")
    with pytest.raises(PrivilegeFault) as refused:
        take_identity(replace(config, user=OTHER.pw_name))
    assert str(refused.value).startswith(
        f"as user = {OTHER.pw_name}: {config.file}:2: [sorryd] worker: unknown key"
    )
    assert str(refused.value).endswith("more)")


def test_code_that_can_not_be_read(
    asked: list[tuple[object, ...]], config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python in a folder that is closed to the user would fail at the next import."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PrivilegeFault, match=r"with code of sorryd, can't be read$"):
        take_identity(replace(config, user=OTHER.pw_name))
