"""The proxies that are compared: how each is found, set up and started."""

from __future__ import annotations

import enum
import importlib.metadata
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import assert_never

import msgspec

from bench.places import Place, Ports, fill
from bench.processes import Cores, Fleet, program

_APACHE_MODULES = (
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/libexec/apache2",
    "/usr/lib/httpd/modules",
)


class Name(enum.StrEnum):
    """The proxies by name; sorryd's figure is what the others' are divided by."""

    SORRYD = "sorryd"
    HAPROXY = "haproxy"
    NGINX = "nginx"
    APACHE = "apache"


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """A running proxy; `pid` is the root of its process tree, `log` its access log.

    Its rounds are told under its `label`: two of one name may stand beside each other.
    """

    name: Name
    label: str
    pid: int
    version: str
    ports: Ports
    log: Path


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy that is not compared, and why."""

    name: Name
    why: str


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """Proxies that stand before the same members, on the same cores."""

    running: tuple[Proxy, ...]
    place: Place
    cores: Cores


def start(
    name: Name, fleet: Fleet, place: Place, ports: Ports, cores: Cores, workers: int = 0
) -> Proxy | Absent:
    """Start the proxy `name` on its cores, if it is installed, with so many `workers`.

    0 is one process or thread for the work, without any beside it.

    Raises BenchError where it is installed and does not come up.
    """
    named = f"{name}-{workers}" if workers else str(name)
    # What HAProxy logs to a file is what it says.
    log = fleet.said(named) if name is Name.HAPROXY else place.folder / f"{name}.access.log"
    command = _command(name, place, ports, log, workers)
    if isinstance(command, Absent):
        return command
    process = fleet.start(named, command, msgspec.structs.astuple(ports), cores.proxy)
    version = _version(name, command[0])
    return Proxy(name=name, label=name, pid=process.pid, version=version, ports=ports, log=log)


def twistd() -> str | None:
    """The twistd whose sorryd is measured: beside this very interpreter, not another one."""
    beside = Path(sys.executable).with_name("twistd")
    return str(beside) if beside.exists() else None


def sorryd(file: Path) -> list[str] | Absent:
    """The command that runs sorryd with `file`."""
    if (binary := twistd()) is None:
        return Absent(name=Name.SORRYD, why="twistd is not installed beside this Python")
    return [binary, "-n", "--pidfile=", "sorryd", "--config", str(file)]


def _command(name: Name, place: Place, ports: Ports, log: Path, workers: int) -> list[str] | Absent:
    peers = str(workers or 1)
    match name:
        case Name.SORRYD:
            return sorryd(fill(place, "sorryd.ini", ports, log=str(log), workers=str(workers)))
        case Name.HAPROXY:
            if (binary := program("haproxy")) is None:
                return Absent(name=name, why="haproxy is not installed")
            return [binary, "-db", "-f", str(fill(place, "haproxy.cfg", ports, workers=peers))]
        case Name.NGINX:
            if (binary := program("nginx")) is None:
                return Absent(name=name, why="nginx is not installed")
            return nginx(binary, fill(place, "nginx.conf", ports, log=str(log), workers=peers))
        case Name.APACHE:
            return _apache(place, ports, log, workers or 1)
        case _:
            assert_never(name)


def nginx(binary: str, file: Path) -> list[str]:
    """The command that runs nginx with `file` alone, in the file's folder."""
    log = file.with_suffix(".log")
    return [binary, "-p", str(file.parent), "-e", str(log), "-c", str(file)]


def _apache(place: Place, ports: Ports, log: Path, workers: int) -> list[str] | Absent:
    if (binary := program("apache2", "httpd")) is None:
        return Absent(name=Name.APACHE, why="apache2 or httpd is not installed")
    folders = [folder for folder in _APACHE_MODULES if Path(folder, "mod_proxy.so").exists()]
    if not folders:
        return Absent(name=Name.APACHE, why="its folder of modules was not found")
    # Apache refuses to serve as root; anyone else serves as who they are.
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    file = fill(
        place,
        "apache.conf",
        ports,
        modules=folders[0],
        log=str(log),
        workers=str(workers),
        threads=str(128 * workers),
        uid=str(user.pw_uid),
        gid=str(user.pw_gid),
    )
    return [binary, "-DFOREGROUND", "-d", str(place.folder), "-f", str(file)]


def _version(name: Name, binary: str) -> str:
    if name is Name.SORRYD:
        return _sorryd_version(binary)
    said = subprocess.run([binary, "-v"], capture_output=True, text=True, timeout=20, check=False)
    words = (said.stdout + said.stderr).replace("/", " ").split()
    return next((word for word in words if word[:1].isdigit()), "unknown")


def _sorryd_version(binary: str) -> str:
    """With whether it was compiled, and where it lies: several may be on one machine."""
    python = str(Path(binary).with_name("python"))
    asked = "import sorryd.edge.client as found; print(found.__file__)"
    said = subprocess.run(
        [python, "-c", asked], capture_output=True, text=True, timeout=20, check=False
    )
    file = Path(said.stdout.strip())
    kind = "source" if file.suffix == ".py" else "compiled"
    return f"{importlib.metadata.version('sorryd')} ({kind}, {file.parents[2]})"
