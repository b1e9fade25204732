"""Programs that the home runs, and waiting for what they do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, TypeVar

Value = TypeVar("Value")


class Late(AssertionError):
    """Something that was waited for did not happen."""


def eventually(
    what: str, probe: Callable[[], Value], within_s: float = 30, every_s: float = 0.05
) -> Value:
    """The first true value of `probe`; raises Late when there is none in time, which is more than a
    busy machine needs: where the time itself is promised, whoever waits says which."""
    end = time.monotonic() + within_s
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Late(f"{what}: not within {within_s:g} s (last seen: {value!r})")
        time.sleep(every_s)


def unconfined(program: str, into: Path) -> str:
    """A copy of `program`, for those that AppArmor ties, by path, to their place in /etc.

    Debian confines unbound and dhclient to their own folders; a home keeps its files elsewhere.
    """
    source = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if source is None:
        raise FileNotFoundError(f"{program} is not installed; scripts/install-packages home does it")
    into.mkdir(parents=True, exist_ok=True)
    copy = into / program
    if not copy.exists():
        shutil.copy(source, copy)
    return str(copy)


def hear_ctrl_c() -> None:
    """Who is started in the background by a shell inherits that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Program:
    """A started program with its log file. Stopping twice is harmless."""

    def __init__(self, name: str, argv: list[str], log: Path, env: dict[str, str] | None = None,
                 stdin: int = subprocess.DEVNULL) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._begins_at = output.tell()  # behind what others of that name have said
            self.process = subprocess.Popen(
                argv, stdin=stdin, stdout=output, stderr=subprocess.STDOUT, cwd="/",
                env={**os.environ, **(env or {})}, start_new_session=True,
                preexec_fn=hear_ctrl_c)

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: int) -> None:
        if self.alive():
            self.process.send_signal(number)

    def wait(self, within_s: float = 60) -> int:
        return self.process.wait(within_s)

    def stop(self, number: int = signal.SIGTERM, within_s: float = 20) -> int:
        """Asks to end, waits, insists. Returns the exit status."""
        self.send(number)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)

    def said(self) -> str:
        """Since this one was started."""
        return self.log.read_bytes()[self._begins_at:].decode(errors="replace")
