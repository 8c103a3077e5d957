"""Imports run one way, as docs/architecture.md draws them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parents[1] / "src" / "sorryd"
FILES: Final = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

CONFIG: Final = frozenset(
    (
        *("config_addresses", "config_certificates", "config_check", "config_hosts"),
        *("config_keys", "config_listen", "config_members", "config_page", "config_reach"),
        *("config_servers", "config_site", "config_sorry", "config_tls", "config_values"),
    )
)

# A part is a folder, or a file without its ending. What each may import of sorryd, besides
# what is in the same folder: the arrows, all of them.
MAY: Final[dict[str, frozenset[str]]] = {
    "__init__": frozenset(),
    "model": frozenset(),
    "window": frozenset({"model"}),
    "reports": frozenset({"model"}),
    "numbers": frozenset({"model"}),
    "snapshot": frozenset({"model", "window"}),
    "ini": frozenset(),
    "lockfile": frozenset(),
    "folders": frozenset(),
    "unix_sockets": frozenset(),
    "database": frozenset(),
    "alarm": frozenset(),
    "demo": frozenset(),
    "times": frozenset({"model"}),
    "errors": frozenset(),
    "messages": frozenset({"model", "window"}),
    "facts": frozenset({"model", "window"}),
    "replies": frozenset(
        {"model", "replies_bypass", "replies_history", "replies_numbers", "replies_plan", "window"}
    ),
    "replies_bypass": frozenset({"model"}),
    "replies_numbers": frozenset({"model"}),
    "replies_history": frozenset({"model", "window"}),
    "replies_plan": frozenset({"model"}),
    "history": frozenset(),
    "window_rows": frozenset({"window"}),
    "journal": frozenset(
        {"model", "window", "database", "facts", "folders", "history", "lockfile", "window_rows"}
    ),
    "stream": frozenset({"history", "journal", "model"}),
    "policy": frozenset({"model", "window", "facts", "numbers", "reports", "snapshot", "times"}),
    "edge": frozenset(
        {"model", "window", "policy", "numbers", "reports", "snapshot", "folders", "unix_sockets"}
    ),
    "control": frozenset(
        {"model", "window", "times", "policy", "messages", "replies", "errors", "journal"}
        | {"folders", "reports", "snapshot", "unix_sockets", "facts", "stream"}
        | {"numbers", "replies_bypass", "replies_history", "replies_numbers", "replies_plan"}
    ),
    "admin": frozenset({"model", "policy", "numbers", "reports", "snapshot", "edge"}),
    "ctl": frozenset({"ini"}),
    **{one: CONFIG | {"ini", "model", "times", "policy"} for one in (*CONFIG, "config")},
    "access_file": frozenset(),
    "access_log": frozenset({"access_file"}),
    "given": frozenset({"model", "snapshot", "folders"}),
    "prober": frozenset({"model", "edge", "reports", "snapshot"}),
    "courier": frozenset(
        {"control", "facts", "journal", "model", "policy", "replies_history", "stream", "times"}
    ),
    "hooks": frozenset({"courier", "model", "stream"}),
    "hook_program": frozenset(),
    "hook_post": frozenset(),
    "hook_sending": frozenset({"hook_post", "hook_program", "model", "policy", "replies_history"}),
    "reactors": frozenset({"uv_loop", "edge"}),
    "uv_loop": frozenset(),
    "options": frozenset({"program", "config", "control", "journal_log", "model", "reactors"}),
    "signals": frozenset({"errors", "replies"}),
    "inherited": frozenset({"model", "edge"}),
    "sockets": frozenset({"model", "edge", "unix_sockets", "inherited", "notify", "socket_store"}),
    "notify": frozenset(),
    "reaping": frozenset(),
    "journal_log": frozenset(),
    "privileges": frozenset({"config", "folders", "model"}),
    "socket_store": frozenset({"edge", "inherited", "model", "notify"}),
    "start_errors": frozenset({"access_log", "control", "edge", "journal", "privileges"}),
    "supervision": frozenset(
        {"control", "inherited", "notify", "policy", "reaping", "socket_store", "sockets"}
    ),
    "recording": frozenset({"access_log", "edge", "model"}),
    "doorplates": frozenset({"edge"}),
    "serving": frozenset(
        {"edge", "model", "policy", "preparing", "prober", "recording", "reports", "snapshot"}
        | {"admin", "doorplates", "reactors", "sockets", "workers"}
    ),
    "preparing": frozenset(
        {"admin", "config", "control", "edge", "ini", "errors", "model", "sockets", "access_log"}
        | {"recording", "given"}
    ),
    "workers": frozenset(
        {"model", "window", "snapshot", "reports", "edge", "policy", "unix_sockets"}
        | {"reactors", "access_log", "recording", "sockets", "journal_log", "numbers"}
    ),
    "program": frozenset(),
    "upgrading": frozenset({"control", "errors", "privileges", "program", "workers"}),
    "service": frozenset(
        {"alarm", "control", "edge", "journal", "model", "options", "preparing"}
        | {"given", "reactors", "recording", "reports", "serving", "signals", "snapshot", "sockets"}
        | {"hook_sending", "hooks", "privileges", "stream", "supervision", "workers"}
        | {"inherited", "program", "start_errors", "upgrading"}
    ),
}

# What is not for a part, of the world outside sorryd.
WORLD: Final = frozenset(
    {"twisted", "zope", "apscheduler", "OpenSSL", "sqlite3", "time", "socket", "asyncio"}
    | {"threading", "subprocess", "click", "rich"}
)
SCREEN: Final = frozenset({"click", "rich"})
MUST_NOT: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(("model", "times", "messages", "errors", "policy"), WORLD),
    **dict.fromkeys(
        ("replies", "replies_bypass", "replies_history", "replies_numbers", "replies_plan"), WORLD
    ),
    "ini": WORLD | {"re", "typing", "dataclasses", "msgspec"},
    "ctl": frozenset({"twisted", "zope", "apscheduler", "OpenSSL", "sqlite3", "jinja2", "msgspec"}),
    **dict.fromkeys(("edge", "control", "given"), SCREEN | {"apscheduler", "sqlite3", "time"}),
}
# A file that must not do what its part may, or may do what its part must not.
FILE_MAY: Final = {"edge/self_signed.py": {"time"}}
FILE_MUST_NOT: Final = {
    "ctl/client.py": {"click", "rich"},
    "ctl/locate.py": {"click", "rich"},
    "ctl/options.py": {"rich"},
    **{file: {"rich"} for file in FILES if file.startswith("ctl/commands")},
    "ctl/show.py": {"click", "rich"},
    **dict.fromkeys(("admin/overview.py", "admin/families.py", "admin/metrics.py"), WORLD),
    "control/answers.py": WORLD,
    "control/telling.py": WORLD,
    "control/bypass.py": WORLD,
    "control/hook_messages.py": WORLD,
    "control/by_hand.py": WORLD,
    "control/decisions.py": WORLD,
    "control/decisions_members.py": WORLD,
    "control/terms.py": WORLD,
    "control/spans.py": WORLD,
    "control/lines.py": WORLD,
    "control/preview.py": WORLD,
    "control/missing.py": WORLD,
    "control/line_buffer.py": WORLD,
}


def part_of(file: str) -> str:
    """The part that a file, relative to the package, belongs to."""
    return file.partition("/")[0].removesuffix(".py")


def modules(source: str, package: str) -> Iterator[str]:
    """The full names of what `source`, a module of `package`, imports, wherever it does so."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join(filter(None, [*(above if node.level else []), node.module]))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def wrong_arrows(file: str, source: str) -> list[str]:
    """The imports of `file` that the tables above do not allow."""
    package = ".".join(("sorryd", *file.split("/")[:-1]))
    return [name for name in modules(source, package) if not is_allowed(file, name)]


def is_allowed(file: str, name: str) -> bool:
    """Whether `file` may import `name`."""
    part = part_of(file)
    top, _, rest = name.partition(".")
    if top == "sorryd":
        ours = MAY[part] | ({part} if "/" in file else set())
        return rest.partition(".")[0] in ours
    if name.startswith("twisted.internet.reactor"):
        # The places that wire a process: they alone may choose and name a reactor.
        return file in {"service.py", "workers/main.py"}
    if top in FILE_MAY.get(file, ()):
        return True
    return top not in MUST_NOT.get(part, ()) and top not in FILE_MUST_NOT.get(file, ())


@pytest.mark.parametrize("file", FILES)
def test_arrows(file: str) -> None:
    """A file imports only what its place in the house allows."""
    assert part_of(file) in MAY, f"{file}: say in MAY what the new part may import"
    assert wrong_arrows(file, (PACKAGE / file).read_text()) == []


def test_tables_name_what_there_is() -> None:
    """Every part and file that the tables name exists, so that no rule guards thin air."""
    assert set(MAY) == {part_of(file) for file in FILES}
    assert {*FILE_MAY, *FILE_MUST_NOT} <= set(FILES)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("policy/windows.py", "import time"),
        ("policy/windows.py", "from twisted.internet import defer"),
        ("policy/windows.py", "from sorryd.edge.wheel import TICK"),
        ("policy/windows.py", "from ..edge import wheel"),
        ("policy/windows.py", "def late():\n    import socket"),
        ("policy/windows.py", "from sorryd import ini"),
        ("policy/windows.py", "import sorryd.journal as j"),
        ("policy/windows.py", "import sorryd"),
        ("edge/site.py", "from sorryd.control.truth import Truth"),
        ("edge/site.py", "from sorryd.journal import Journal"),
        ("edge/site.py", "from twisted.internet import reactor"),
        ("control/truth.py", "from sorryd.edge.edge import Edge"),
        ("control/decisions.py", "from twisted.internet.defer import Deferred"),
        ("ctl/main.py", "from sorryd.messages import Status"),
        ("ctl/main.py", "import twisted"),
        ("ctl/commands_sites.py", "import rich.table"),
        ("model.py", "from sorryd.times import parse_zone"),
    ],
)
def test_wrong_arrow_is_seen(file: str, source: str) -> None:
    """An arrow that points the wrong way is found, however the import is spelled."""
    assert wrong_arrows(file, source) != []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("policy/windows.py", "from sorryd.model import Window"),
        ("policy/apology.py", "from sorryd.policy.dates import spoken"),
        ("policy/apology.py", "from . import dates"),
        ("edge/site.py", "from sorryd.policy import windows"),
        ("service.py", "from twisted.internet import reactor"),
    ],
)
def test_right_arrow_is_let_pass(file: str, source: str) -> None:
    """An arrow that the picture has is no fault."""
    assert wrong_arrows(file, source) == []


def test_sorryctl_loads_nothing_of_the_daemon() -> None:
    """What sorryctl imports, and what that imports in turn, is its own, `ini` and no more."""
    code = (
        "import sys, sorryd.ctl.main, sorryd.ctl.show, sorryd.ctl.locate\n"
        "import sorryd.ini\n"
        "from sorryd.ctl.commands import cli\n"
        "cli.get_help(cli.make_context('sorryctl', ['status']))\n"
        "print(*sorted(m for m in sys.modules if m.startswith('sorryd.')))\n"
        "print(*(m for m in ('twisted', 'msgspec', 'rich', 'OpenSSL') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    own, strange = done.stdout.split("\n")[:2]
    assert {name.split(".")[1] for name in own.split()} == {"ctl", "ini"}
    assert strange == ""


def test_start_leaves_what_a_supervisor_said() -> None:
    """What the daemon imports takes no LISTEN_FDS away, as Twisted's endpoints would."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, sorryd.service; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "sorryd.service" in done.stdout.split()
    assert "twisted.internet.endpoints" not in done.stdout.split()
