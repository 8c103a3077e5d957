"""What the documents show is so: files pass, commands exist, faults are told in our words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import click
import pytest
from tests.certificates import authority, issue
from tests.documents import DOCUMENTS, ROOT, Block, blocks, loaded, where

from sorryd.config import ConfigError
from sorryd.config_keys import DAEMON, SITE
from sorryd.ctl.commands import THEMES, cli

CONFIGURATION: Final = (ROOT / "docs" / "configuration.md").read_text()


# --- files -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pem() -> dict[str, bytes]:
    """What the files that sorryd.ini may name hold."""
    issuer = authority()
    chain, key = issue(issuer, ["shop.example.com"])
    rsa_chain, rsa_key = issue(issuer, ["shop.example.com"], kind="rsa")
    page = (ROOT / "etc" / "maintenance.html").read_bytes()
    return {
        "shop.pem": chain,
        "shop.key": key,
        "shop-rsa.pem": rsa_chain,
        "shop-rsa.key": rsa_key,
        "shop-both.pem": chain + key,
        "intranet.pem": chain + key,
        "shop-ca.pem": issuer.pem,
        "turned.pem": issuer.pem + chain,
        "maintenance.html": page,
        "broken.html": b"<p>{{ reson }}\n",
        "bypass.key": b"a secret of some length\n",
    }


@pytest.fixture
def folder(tmp_path: Path, pem: dict[str, bytes]) -> Path:
    """A folder with those files."""
    for name, data in pem.items():
        (tmp_path / name).write_bytes(data)
    for name in ("pages", "public"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "current" / "public").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("block", blocks("ini"), ids=where)
def test_ini_passes(block: Block, folder: Path) -> None:
    """Every sorryd.ini shown is one that sorryd takes."""
    assert loaded(folder, block.text.replace("/var/log/sorryd/", f"{folder}/")).sites


def test_both_set_ups_are_shown() -> None:
    """The README has a standby, and the four members of a Capistrano set-up."""
    shown = [block.text for block in blocks("ini") if block.where.startswith("README")]
    assert any(" standby" in text for text in shown)
    assert any(all(f"127.0.0.1:{port}" in text for port in range(3000, 3004)) for text in shown)


# --- keys ------------------------------------------------------------------------------------


class Row(NamedTuple):
    """The first two cells of a row of a table."""

    first: str
    second: str


def rows(heading: str) -> list[Row]:
    """The rows of all tables of configuration.md that begin with `heading`."""
    found = []
    for match in re.finditer(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", CONFIGURATION, re.M):
        for line in match[1].splitlines():
            first, second = line.strip("| ").split(" | ")[:2]
            found.append(Row(first, second))
    return found


def section_of(key: str, text: str) -> str:
    """The section in which `key` is tried; `text` is what is said of it, if anything is."""
    named = re.match(r"\[(.*?)\]", text)
    if named is not None:
        return named[1]
    return "sorryd" if key in DAEMON and key not in SITE else "site shop"


def with_key(section: str, written: str) -> str:
    """A good file with one key written so."""
    sections = {
        "sorryd": {"control": "run/control.sock", "state": "run/sorryd.db"},
        "site shop": {"listen": "127.0.0.1:8080", "members": "http://10.0.0.11:3000"},
    }
    if written:
        key, _, value = written.partition(" = ")
        sections[section][key] = value
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
        for name, keys in sections.items()
    )


KEYS: Final = rows("key")
FAULTS: Final = rows("written")
MEMBERS: Final = rows("a member") + rows(r"option \| what it does")
CHECKS: Final = [row for row in rows(r"option \| where it is left out") if "`" in row.second]
DEFAULTS: Final = [row for row in KEYS if re.fullmatch(r"`[^`]*`", row.second)]


def test_every_key_is_told() -> None:
    """The tables have every key that there is."""
    assert {row.first.strip("`") for row in KEYS} == {*DAEMON, *SITE}


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.first)
def test_default_is_told_right(row: Row, folder: Path) -> None:
    """A key that is written with the default that is told means what leaving it out means."""
    key, default = row.first.strip("`"), row.second.strip("`")
    section = section_of(key, "")
    without = with_key(section, "")
    if key in ("control", "state"):
        without = re.sub(rf"^{key} = .*\n", "", without, flags=re.M)
    assert loaded(folder, with_key(section, f"{key} = {default}")) == loaded(folder, without)


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.first)
def test_fault_is_told_right(row: Row, folder: Path) -> None:
    """A wrong value is refused in the words that are shown."""
    written, said = row.first.strip("`"), row.second.strip("`")
    section = section_of(written.partition(" = ")[0], said)
    with pytest.raises(ConfigError) as refused:
        loaded(folder, with_key(section, written))
    faults = [str(fault).partition(": ")[2] for fault in refused.value.faults]
    assert [fault.replace(str(folder), "/etc/sorryd") for fault in faults] == [said]


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: row.first)
def test_default_of_a_check_is_told_right(row: Row, folder: Path) -> None:
    """An option that is written as it is told to be without it changes nothing."""
    option = row.first.strip("`") + row.second.strip("`")
    with_option, without = (
        loaded(folder, with_key("site shop", f"check = GET /{more}")) for more in (f" {option}", "")
    )
    assert with_option == without


@pytest.mark.parametrize("row", MEMBERS, ids=lambda row: row.first)
def test_member_is_told_right(row: Row, folder: Path) -> None:
    """What is shown of a member, or of one of its options, is taken so."""
    option = row.first.strip("`")
    for placeholder, value in {"D": "5s", "N": "2", "NAME": "app.internal"}.items():
        option = re.sub(f"={placeholder}$", f"={value}", option)
    file = {"ca=": "shop-ca.pem", "cert=": "shop-both.pem", "key=": "shop.key cert=shop.pem"}
    for name, value in file.items():
        option = option.replace(f"{name}FILE", name + value)
    written = option if ":" in option else f"https://10.0.0.11 {option}"
    lines = with_key("site shop", f"members = http://10.0.0.12\n  {written}")
    assert loaded(folder, lines).sites[0].members[1].url == written.split()[0]


def test_tables_are_found() -> None:
    """The tests above have something to look at."""
    assert len(KEYS) > 40
    assert len(DEFAULTS) > 25
    assert len(CHECKS) > 5
    assert len(MEMBERS) > 10
    assert len(FAULTS) > 60


# --- commands --------------------------------------------------------------------------------


def shown_commands() -> Iterator[tuple[str, str]]:
    """Where a sorryctl command is shown, and the command."""
    for kind in ("console", "text"):
        for block in blocks(kind):
            for line in block.text.splitlines():
                if "sorryctl " in line and re.match(r"[$#] (?!ln )|  .venv/", line):
                    yield block.where, re.sub(r"^[$#] ", "", line).strip()
    for path in DOCUMENTS:
        for command in re.findall(r"`(sorryctl [^`]+)`", path.read_text()):
            yield path.name, " ".join(command.split())


def arguments(line: str) -> list[str]:
    """The words behind sorryctl in a line for a shell."""
    words = shlex.split(re.split(r"[;|]", line)[0])
    at = next(index for index, word in enumerate(words) if word.endswith("sorryctl"))
    return ["1" if word == "N" else word for word in words[at + 1 :]]


def split(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command in `words`, past the global options, and what follows it."""
    while words[0].startswith("--"):
        words = words[1 if words[0] == "--json" else 2 :]
    command = cli.get_command(click.Context(cli), words[0])
    if command is None:
        raise KeyError(words[0])
    return command, words[1:]


@pytest.mark.parametrize(
    "line", sorted({line for _, line in shown_commands() if "COMMAND" not in line})
)
def test_command_is_one(line: str) -> None:
    """Every sorryctl command shown is one, with its options and arguments."""
    command, rest = split(arguments(line))
    command.make_context(command.name, rest)


@pytest.mark.parametrize("line", ["sorryctl undo", "sorryctl down --til 02:00", "sorryctl extend"])
def test_wrong_command_is_seen(line: str) -> None:
    """A command that sorryctl would not take is noticed."""
    with pytest.raises((KeyError, click.UsageError)):
        test_command_is_one(line)


def test_documents_name_every_command() -> None:
    """There is no command that no document tells of."""
    texts = [path.read_text() for path in (*DOCUMENTS, ROOT / "CHANGELOG.md")]
    told = {name for text in texts for name in re.findall(r"`(?:sorryctl )?([a-z-]+)", text)}
    assert set(THEMES) - told <= {"disable", "enable"}


# --- links -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a file of the project leads to one."""
    for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / link).is_file(), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_anchors_lead_somewhere(path: Path) -> None:
    """A link within a document leads to a heading of it."""
    text = path.read_text()
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
