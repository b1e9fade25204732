"""One network namespace: its programs, its settings, its sockets."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Iterator

from .program import Program

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


class Namespace:
    """Made by the constructor, taken away by `remove` together with every program inside."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.etc = Path("/etc/netns") / name
        make_folder(self.etc)
        # `ip netns exec` lays this over /etc/resolv.conf, so a program inside sees the home's
        # resolvers and never the machine's.
        self.resolv_conf = self.etc / "resolv.conf"
        self.resolv_conf.write_text("")
        subprocess.run(["ip", "netns", "add", name], check=True, timeout=60)
        # Duplicate address detection would make each address wait a second.
        self.set("net/ipv6/conf/all/accept_dad", 0)
        self.set("net/ipv6/conf/default/accept_dad", 0)
        self.set("net/ipv6/conf/default/dad_transmits", 0)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread opens meanwhile belong to the namespace."""
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _enter(there)
            try:
                yield
            finally:
                _enter(here)
        finally:
            os.close(here)
            os.close(there)

    def set(self, setting: str, value: int) -> None:
        with self.entered():
            Path("/proc/sys", setting).write_text(str(value))

    def ip(self, *lines: str) -> None:
        """Runs lines of ip(8) as one batch, which is much quicker than one program each."""
        subprocess.run(["ip", "-n", self.name, "-batch", "-"], input="\n".join(lines) + "\n",
                       text=True, check=True, timeout=60)

    def argv(self, *argv: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str, within_s: float = 60, check: bool = True, stdin: str | None = None,
            env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end and keeps what it said."""
        done = subprocess.run(self.argv(*argv), input=stdin, capture_output=True, text=True,
                              timeout=within_s, cwd="/", env={**os.environ, **(env or {})},
                              errors="replace", stdin=None if stdin else subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(
                f"{' '.join(argv)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def start(self, name: str, *argv: str, env: dict[str, str] | None = None) -> Program:
        return Program(name, self.argv(*argv), self.folder / f"{name}.log", env)

    def nft(self, rules: str) -> None:
        self.run("nft", "-f", "-", stdin=rules)

    def accepts(self, address: str, port: int) -> bool:
        """Whether a TCP connection from inside to that place is accepted."""
        import socket
        with self.entered():
            try:
                socket.create_connection((address, port), timeout=1).close()
                return True
            except OSError:
                return False

    def pids(self) -> list[int]:
        return pids_of(self.name)

    def remove(self) -> None:
        remove(self.name)


def make_folder(path: Path) -> None:
    """With its parents, which another home may be taking away because they are empty."""
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError):
            path.mkdir(parents=True)
            return
    raise FileNotFoundError(path)


def pids_of(name: str) -> list[int]:
    listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True)
    return [int(pid) for pid in listed.stdout.split()]


def remove(name: str) -> None:
    """Ends every program in a namespace, then the namespace. Harmless when it is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + (0.5 if number == signal.SIGTERM else 5)
        # Our own process can be inside for the length of an `entered`.
        pids = [pid for pid in pids_of(name) if pid != os.getpid()]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while any(_runs(pid) for pid in pids) and time.monotonic() < end:
            time.sleep(0.02)
    if Path("/run/netns", name).exists():
        subprocess.run(["ip", "netns", "del", name], check=False, timeout=20)
    etc = Path("/etc/netns") / name
    (etc / "resolv.conf").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        etc.rmdir()
        etc.parent.rmdir()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
