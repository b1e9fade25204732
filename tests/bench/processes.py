"""Processes: started on processors of our choice, ended with their children, and what they use."""

from __future__ import annotations

import array
import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_DESCRIPTORS = 100_000
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PRESENT, _FRAME = 1 << 63, (1 << 55) - 1  # of an entry of /proc/PID/pagemap

_cpus = sorted(os.sched_getaffinity(0))
# Servers are on one processor; load and the resolver that they ask are on another, if there is one.
SERVER, LOAD, ALL = {_cpus[0]}, {_cpus[-1]}, set(_cpus)


class Failed(Exception):
    """A figure that could not be taken, and why."""


def spawn(argv: list[str], cpus: set[int], **options) -> subprocess.Popen:
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)  # a bench that is killed leaves nothing
        os.sched_setaffinity(0, cpus)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with contextlib.suppress(OSError, ValueError):  # root in a container may not raise it
            resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))

    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return subprocess.Popen(argv, preexec_fn=prepare, env={**os.environ, "PATH": path}, **options)


def end(process: subprocess.Popen) -> None:
    """Asks it to end, and its children where it does not see to that."""
    family = tree(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for pid in reversed(family):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(5)


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def role(pid: int) -> str:
    """Of a process of porchlight's: "forwarder", "agent", "provision"; else empty."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        return words[2] if words[1:2] == ["role"] and len(words) > 2 else ""
    return ""


def cpu_s(pids: list[int]) -> float:
    """Processor time of all their threads so far, to the nanosecond."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += time.clock_gettime((~pid << 3) | 2)  # its CPU clock; Python has no name for it
    return total


def waited_s(pids: list[int]) -> float:
    """How long their threads could have run, had a processor been free."""
    total = 0
    for pid in pids:
        for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(stat.read_text().split()[1])
    return total / 1e9


def resident_bytes(pids: list[int]) -> int:
    """Resident memory, what several share counted once. /proc/PID/status rounds in steps of many
    pages, and Pss depends on who else runs; this counts page frames, which only root is told."""
    frames: set[int] = set()
    for pid in pids:
        frames.update(_frames(pid))
    if frames == {0}:
        raise Failed("the kernel does not tell page frames; that takes CAP_SYS_ADMIN")
    return len(frames) * _PAGE


def _frames(pid: int) -> set[int]:
    frames: set[int] = set()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            start, stop = (int(number, 16) // _PAGE for number in line.split()[0].split("-"))
            if "[v" in line:  # the kernel's own pages: vvar, vdso, vsyscall
                continue
            pagemap.seek(8 * start)
            entries = array.array("Q", pagemap.read(8 * (stop - start)))
            frames.update(entry & _FRAME for entry in entries if entry & _PRESENT)
    return frames


class Stopwatch:
    """Processor time of a server while the `with` lasts, and how long it waited for a processor."""

    waits: list[float] = []  # shares of the time, of all that were taken

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self.cpu_s = 0.0

    def __enter__(self) -> "Stopwatch":
        self._began = time.monotonic(), waited_s(self._pids)
        self.cpu_s = -cpu_s(self._pids)
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s += cpu_s(self._pids)
        took = time.monotonic() - self._began[0]
        Stopwatch.waits.append((waited_s(self._pids) - self._began[1]) / took)
