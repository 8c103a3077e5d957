"""What docs/configuration.md shows of hooks is what they get, and what verifies it."""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.control.world import World
from tests.documents import ROOT

from sorryd.control.hook_messages import hook_message
from sorryd.journal import HistoryEntry
from sorryd.messages import WindowSchedule
from sorryd.policy.delivery import TOLD, signature, signing_key
from sorryd.replies_history import HookMessage

HOOKS: Final = (
    (ROOT / "docs" / "configuration.md").read_text().split("### Hooks\n")[1].split("\n## ")[0]
)
SECRET: Final = b"0123456789abcdef"
BODY: Final = b'{"event":"site.phase"}'


def block(kind: str, words: str) -> str:
    """The block of that kind which has those words in it."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", HOOKS, re.MULTILINE | re.DOTALL)
    (one,) = (text for text in found if words in text)
    return str(one)


def draining(world: World) -> HistoryEntry:
    """The event that is shown: a window of the shop begins."""
    asked = WindowSchedule(
        from_="+1m", for_="3h", id="upgrade", site="shop", reason="database upgrade"
    )
    world.ask(asked)
    world.wait(60)
    entries: list[HistoryEntry] = []
    world.stream.following(0, "shop", 100, TOLD).addCallback(entries.extend)
    return entries[-1]


def test_message(tmp_path: Path) -> None:
    """The object that is shown is the one that a hook gets, and every field is told of."""
    world = World(str(tmp_path / "sorryd.db"))
    site = world.config.sites[0]
    message = hook_message(draining(world), site, world.config)
    assert block("text", '"event"').strip() == msgspec.json.encode(message).decode()
    told = set(re.findall(r"`([a-z_]+)`", HOOKS))
    assert {field.encode_name for field in msgspec.structs.fields(HookMessage)} <= told
    world.journal.close()


def test_every_event_is_told() -> None:
    """The events that hooks are told of are named."""
    assert all(f"`{verb}`" in HOOKS for verb in TOLD)


def test_python_verifies() -> None:
    """The function shown takes what is signed, and nothing else, and nothing old."""
    names: dict[str, Any] = {}
    exec(block("python", "def is_from_sorryd"), names)
    verify = names["is_from_sorryd"]
    field = signature(signing_key(SECRET, "shop"), int(time.time()), BODY)
    assert verify(SECRET, "shop", field, BODY)
    assert not verify(SECRET, "shop", field, BODY + b" ")
    assert not verify(SECRET, "blog", field, BODY)
    assert not verify(SECRET[1:], "shop", field, BODY)
    old = signature(signing_key(SECRET, "shop"), int(time.time()) - 3600, BODY)
    assert not verify(SECRET, "shop", old, BODY)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_shell_verifies(tmp_path: Path) -> None:
    """The commands shown print the signature of the body."""
    (tmp_path / "bypass.key").write_bytes(SECRET + b"\n")
    (tmp_path / "body").write_bytes(BODY)
    field = signature(signing_key(SECRET, "shop"), 1_795_262_400, BODY)
    done = subprocess.run(
        ["sh", "-c", block("sh", "openssl")],
        cwd=tmp_path, env={"field": field, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert field.endswith(f",v1={done.stdout.strip()}")


def test_key_is_told() -> None:
    """The words of the key are those that it is made of."""
    assert signing_key(SECRET, "shop") == hmac.digest(SECRET, b"sorryd hook shop", hashlib.sha256)
    assert "`sorryd hook SITE`" in HOOKS
