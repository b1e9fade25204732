"""What stands where, and that it is gone afterwards.

    ISP wan0 ─ 192.0.2.0/24, 2001:db8:0:1::/64 ─ eth0 router br-lan ─ 192.168.77.0/24,
                                                                       fd77:77:77::/64 ─ hosts

A home is named after the process that raised it. Leaving the `with`, an exception, Ctrl-C,
SIGTERM and the end of the process all take it away; what a SIGKILL leaves, `sweep` removes.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Iterator

from . import namespace
from .authority import Authority
from .capture import Capture
from .host import Host
from .isp import Isp
from .namespace import Namespace
from .program import eventually
from .router import Router

_PLACE = Path("/run/porchlight-homes")
_NAME = re.compile(r"porchlight-(\d+-\d+)-\w+")
_numbers = itertools.count(1)
_standing: list["Home"] = []


class Home:
    """An ISP, a router with dnsmasq (porchlight is started by who needs it), and hosts."""

    def __init__(self, certificate_life_s: int = 86400, dnsmasq: bool = True) -> None:
        self.id = f"{os.getpid()}-{next(_numbers)}"
        self.folder = _PLACE / self.id
        self.hosts: list[Host] = []
        self._namespaces: list[Namespace] = []
        self._gone = False
        _take_away_at_exit()
        _standing.append(self)
        try:
            self._raise(certificate_life_s, dnsmasq)
        except BaseException:
            self.close()
            raise

    def _raise(self, certificate_life_s: int, dnsmasq: bool) -> None:
        namespace.make_folder(self.folder)
        (self.folder / "owner").write_text(_owner(os.getpid()))
        self.internet = Authority(self.folder / "authority")
        self.isp = Isp(self._namespace("isp"), self.internet, certificate_life_s)
        self.router = Router(self._namespace("router"), self.isp)
        self.isp.ns.ip(f"link add wan0 type veth peer name eth0 netns {self.router.ns.name}")
        self.isp.connect()
        self.isp.start()
        self.router.connect()
        self.isp.tsig_file(self.router.folder / "tsig.key")
        if dnsmasq:
            self.router.start_dnsmasq()
        self.isp.wait()
        self.trust = self.folder / "trust.pem"
        self._trust_the_ca()

    def host(self, name: str = "host", link: str = "br-lan") -> Host:
        """Plugs a new host into a link of the home; it knows nothing yet."""
        number = len(self.hosts) + 1
        host = Host(self._namespace(f"{name}{number}"), self.trust)
        self.router.ns.ip(f"link add lan{number} type veth peer name eth0 netns {host.ns.name}",
                          f"link set lan{number} master {link}", f"link set lan{number} up")
        host.connect()
        eventually("the host's link-local address", lambda: " fe80" in host.ns.run(
            "ip", "-6", "addr", "show", "dev", "eth0", "-tentative").stdout, every_s=0.02)
        self.hosts.append(host)
        return host

    def restart_ca(self) -> None:
        """A new pebble has a new root, which hosts believe in from now on."""
        self.isp.pebble.stop()
        self.isp.start_pebble()
        self.isp.wait()
        self._trust_the_ca()

    def _trust_the_ca(self) -> None:
        with self.trust.open("a") as trust:
            trust.write(self.isp.issuing_root() + self.internet.root.read_text())

    def capture_wan(self, expression: str = "") -> Capture:
        return Capture(self.router.ns, "eth0", expression)

    def capture_lan(self, expression: str = "") -> Capture:
        return Capture(self.router.ns, "br-lan", expression)

    def close(self) -> None:
        if self._gone:
            return
        with _undisturbed():
            self._take_away()

    def _take_away(self) -> None:
        for each in reversed(self._namespaces):
            each.remove()
        self._gone = True
        if keep := os.environ.get("PORCHLIGHT_KEEP_LOGS"):
            shutil.copytree(self.folder, Path(keep) / self.id,
                            ignore=shutil.ignore_patterns("bin", "*.mdb", "*.sock", "control*"))
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            _PLACE.rmdir()
        if self in _standing:
            _standing.remove(self)

    def __enter__(self) -> "Home":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _namespace(self, role: str) -> Namespace:
        made = Namespace(f"porchlight-{self.id}-{role}", self.folder / role)
        self._namespaces.append(made)
        return made


def left_overs() -> list[str]:
    """Namespaces and folders of homes, whoever raised them."""
    named = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, timeout=10)
    found = [line.split()[0] for line in named.stdout.splitlines()
             if line and _NAME.fullmatch(line.split()[0])]
    found += [str(path) for path in Path("/etc/netns").glob("porchlight-*")]
    return found + [str(folder) for folder in _PLACE.glob("*")]


def sweep() -> list[str]:
    """Removes the homes whose owner is dead. Returns what it removed."""
    removed = []
    for found in left_overs():
        home = Path(found).name
        if match := _NAME.fullmatch(home):
            home = match.group(1)
        if _owner_lives(home):
            continue
        if found.startswith("/"):
            shutil.rmtree(found, ignore_errors=True)
        else:
            namespace.remove(found)
        removed.append(found)
    with contextlib.suppress(OSError):
        _PLACE.rmdir()
    return removed


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not stop the clean-up that the first one started."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _owner(pid: int) -> str:
    """A process and the moment it started, for pids come again. Empty when there is none."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        state, *others = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        if state not in "ZX":
            return f"{pid} {others[18]}"
    return ""


def _owner_lives(home: str) -> bool:
    pid = int(home.split("-")[0])
    written = ""  # for a moment at either end of a home
    with contextlib.suppress(FileNotFoundError):
        written = (_PLACE / home / "owner").read_text()
    return written == _owner(pid) if written else bool(_owner(pid))


def _close_all() -> None:
    for home in list(_standing):
        home.close()


def _take_away_at_exit() -> None:
    """Once: SIGTERM and SIGHUP end the process as an exit does, which runs the clean-up."""
    if _standing or getattr(_take_away_at_exit, "done", False):
        return
    _take_away_at_exit.done = True  # type: ignore[attr-defined]
    atexit.register(_close_all)
    for number in (signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(ValueError):  # not in the main thread: its owner decides
            signal.signal(number, lambda number, _: sys.exit(128 + number))
