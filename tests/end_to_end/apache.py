"""Apache httpd for tests: virtual hosts at ports of their own, in one foreground process."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.programs import running, where
from tests.end_to_end.waiting import until

_FOLDERS: Final = (
    *("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"),
    *("/usr/libexec/apache2", "/usr/lib/httpd/modules"),
)
_MODULES: Final = (
    *("mpm_event", "authz_core", "rewrite", "mime", "proxy", "proxy_http"),
    *("slotmem_shm", "proxy_balancer", "lbmethod_byrequests"),
)

_CONF: Final = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
ServerName localhost
TypesConfig /dev/null
AddType text/html .html
AddType image/png .png
{modules}
User #{uid}
Group #{gid}
StartServers 1
ServerLimit 1
ThreadLimit 64
ThreadsPerChild 64
MaxRequestWorkers 64
<Directory {folder}>
    Require all granted
</Directory>
{hosts}
"""


def _program() -> str | None:
    return where("apache2") or where("httpd")


def _modules() -> str | None:
    return next((one for one in _FOLDERS if Path(one, "mod_proxy_balancer.so").exists()), None)


NEEDS_APACHE = pytest.mark.skipif(
    _program() is None or _modules() is None, reason="not installed: apache2 with its modules"
)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now. Apache opens its sockets itself, so another may be quicker."""
    with contextlib.ExitStack() as on:
        socks = [on.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in socks]


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may read."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name).resolve()


@contextlib.contextmanager
def apache(folder: Path, hosts: Mapping[int, str]) -> Iterator[None]:
    """Apache with what `hosts` has for the virtual host at each port; its files are in `folder`.

    `folder` is one of `open_folder`: pytest's own are for root alone, as whom Apache never serves.
    """
    program, modules = _program(), _modules()
    assert program is not None
    assert modules is not None
    # Apache refuses to serve as root; anyone else serves as who they are.
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    conf = folder / "apache.conf"
    conf.write_text(
        _CONF.format(
            folder=folder,
            uid=user.pw_uid,
            gid=user.pw_gid,
            modules="\n".join(f"LoadModule {m}_module {modules}/mod_{m}.so" for m in _MODULES),
            hosts="\n".join(
                f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\n{host}\n</VirtualHost>"
                for port, host in hosts.items()
            ),
        )
    )
    command = [program, "-DFOREGROUND", "-d", str(folder), "-f", str(conf)]
    with running(command, folder / "apache.out"):
        until(lambda: all(map(_listens, hosts)), "Apache")
        yield


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
