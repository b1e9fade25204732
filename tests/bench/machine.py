"""The machine that figures were taken on, and whether anybody else worked on it meanwhile."""

from __future__ import annotations

import dataclasses
import datetime
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

from processes import ALL, Stopwatch

# Beyond either a run is noisy. Processor time per query bears more; start and throughput do not.
_BUSY_MAX, _WAITED_MAX = 0.05, 0.02


@dataclasses.dataclass(frozen=True)
class Machine:
    date: str
    processor: str
    processors: int
    memory_gib: float
    system: str
    openssl: str
    busy_before: float  # share of all processors, while nothing of ours ran
    load_before: float


def look(for_s: float) -> Machine:
    cpuinfo = Path("/proc/cpuinfo").read_text()
    processor = re.search(r"^model name\s*: (.*)$", cpuinfo, re.M)
    release = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.M)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.split()
    load = os.getloadavg()[0]
    return Machine(
        datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        processor[1].strip() if processor else os.uname().machine, len(ALL),
        int(memory[1]) / 2**20 if memory else 0,
        f"{release[1] if release else 'Linux'}, Linux {os.uname().release}",
        openssl[1] if len(openssl) > 1 else "", _busy(for_s), load)


def waited() -> float:
    """Share of the time that servers waited for a processor of their own: the median of all that was
    taken."""
    return statistics.median(Stopwatch.waits) if Stopwatch.waits else 0.0


def noise(machine: Machine) -> str:
    said = (f"Before it began, {machine.busy_before:.0%} of the processors were busy (load "
            f"{machine.load_before:.2f})")
    said += f"; servers waited {waited():.1%} of the time for theirs." if Stopwatch.waits else "."
    noisy = machine.busy_before > _BUSY_MAX or waited() > _WAITED_MAX
    return said + (" The run is NOISY: take it again on a quiet machine." if noisy else "")


def _busy(for_s: float) -> float:
    idle, total = _ticks()
    time.sleep(for_s)
    idle_after, total_after = _ticks()
    return 1 - (idle_after - idle) / max(1, total_after - total)


def _ticks() -> tuple[int, int]:
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return fields[3] + fields[4], sum(fields)  # idle and iowait; all
