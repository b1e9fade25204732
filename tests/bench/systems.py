"""What runs side by side: by peers/peers.toml, each started anew for what is measured."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import socket
import string
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Iterator

from load import BUILD, Load, asks
from processes import ALL, LOAD, SERVER, Failed, end, role, spawn, tree

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "home"))
from lab.program import unconfined  # noqa: E402

UPSTREAM_PORT = 19853
SYSTEM_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")


class Scratch:
    """A folder with a CA, a certificate of its, and the resolver that everybody asks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counter = folder / "asked"
        self._make_certificates()
        self.upstream = spawn(
            [str(BUILD / "bench_floor"), "--dot", str(UPSTREAM_PORT), "--cert",
             str(folder / "cert.pem"), "--key", str(folder / "key.pem"), "--counter",
             str(self._counter)], LOAD)
        while not self._counter.exists() or self._counter.stat().st_size < 8:
            if self.upstream.poll() is not None:
                raise SystemExit("bench: the resolver that the servers ask does not start")
            time.sleep(0.01)

    def asked(self) -> int:
        """Questions that reached the resolver."""
        return int.from_bytes(self._counter.read_bytes(), sys.byteorder)

    def _make_certificates(self) -> None:
        (self.folder / "names").write_text("subjectAltName=DNS:dot.bench.net,"
                                           "DNS:router.bench.net,IP:127.0.0.1\n")
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        for command in (
                f"req -x509 {key} -keyout ca.key -out ca.pem -days 30 -subj /CN=bench",
                f"req {key} -keyout key.pem -out request.pem -subj /CN=dot.bench.net",
                "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 "
                "-extfile names -out cert.pem"):
            subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True,
                           capture_output=True)
        (self.folder / "key.pem").chmod(0o644)
        bundle = SYSTEM_ROOTS.read_text() if SYSTEM_ROOTS.exists() else ""
        (self.folder / "bundle.pem").write_text(bundle + (self.folder / "ca.pem").read_text())


class System:
    _starts = itertools.count()

    def __init__(self, name: str, spec: dict, scratch: Scratch) -> None:
        self.name, self.spec, self.scratch = name, spec, scratch
        self.serves: list[str] = list(spec["serves"])
        self.serves_doh_by_get: bool = spec.get("get", False)
        self.workers: str = spec.get("workers", "")
        self.dot = self.doh = self.udp = 0
        self._running: list[subprocess.Popen] = []
        if name == "porchlight" and _knows_doh():
            self.serves.append("doh")

    def missing(self) -> str:
        """Why it can't be had; empty when it can."""
        program = self._program(self.spec["cmd"].format(build=BUILD, **_BLANK).split()[0])
        return "" if program else f"Debian's package {self.spec['package']} is not installed"

    def version(self) -> str:
        argv = self.spec["version"].format(build=BUILD).split()
        said = subprocess.run([self._program(argv[0]), *argv[1:]], capture_output=True, text=True)
        number = re.search(r"\d+(\.\d+)*", said.stdout + said.stderr)
        return number[0] if number else ""

    @contextlib.contextmanager
    def running(self, conf: str = "conf", workers: int = 1, cache: str = "64MiB"
                ) -> Iterator[float]:
        """A fresh one, from which DoT was answered; yields the milliseconds from exec to that. One
        that has no DoT answers by UDP, and yields 0."""
        cpus = SERVER if workers == 1 else ALL
        copies = workers if self.workers == "copies" else 1
        argv = self._command(conf, workers, cache)
        log = (self.scratch.folder / f"{self.name}.log").open("ab")
        first = Load(self.dot, 20, mode="first", prefix="first") if "dot" in self.serves else None
        time.sleep(0.05)
        began = time.monotonic_ns()
        try:
            for _ in range(copies):
                self._running.append(spawn(argv, cpus, stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log))
            yield self._until_dot(first, began) if first else self._until_udp()
        finally:
            for process in self._running:
                end(process)
            self._running.clear()
            log.close()

    def pids(self) -> list[int]:
        return [pid for process in self._running for pid in tree(process.pid)]

    def serving_pids(self) -> list[int]:
        """The process that answers, where it is one of several."""
        return [pid for pid in self.pids() if role(pid) == "forwarder"] or self.pids()

    def check_answers(self) -> None:
        for how in self.serves:
            if not asks(how, getattr(self, how)):
                raise Failed(f"kdig gets no right answer by {how}")

    def _until_dot(self, first: Load, began_ns: int) -> float:
        told = first.go()
        if not told["answers"]:
            log = (self.scratch.folder / f"{self.name}.log").read_text(errors="replace")
            raise Failed(f"does not answer by DoT within 20 s: {log[-300:].strip()}")
        return (told["at_ns"] - began_ns) / 1e6

    def _until_udp(self) -> float:
        for _ in range(10):
            if asks("udp", self.udp):
                return 0
            time.sleep(0.2)
        raise Failed("does not answer by UDP")

    def _command(self, conf: str, workers: int, cache: str) -> list[str]:
        state = self.scratch.folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        # Fresh ports each time: what the last one's connections leave in the kernel is not in the way.
        base = 20000 + 10 * (next(System._starts) % 900)
        self.dot, self.doh, self.udp = base, base + 1, base + 2
        for port in (self.dot, self.doh):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    raise Failed(f"somebody else has port {port}")
        folder = self.scratch.folder
        values = {"dot": self.dot, "doh": self.doh, "udp": self.udp, "upstream": UPSTREAM_PORT,
                  "threads": workers, "cache": cache, "state": state, "build": BUILD, "cert": folder / "cert.pem",
                  "key": folder / "key.pem", "ca": folder / "ca.pem",
                  "bundle": folder / "bundle.pem", "conf": folder / f"{self.name}.conf"}
        if "conf" in self.spec:
            template = HERE / "peers" / self.spec.get(conf, self.spec["conf"])
            text = string.Template(template.read_text()).substitute(values)
            if self.name == "porchlight" and "doh" in self.serves:
                text = _with_doh(text, self.doh)
            values["conf"].write_text(text)
        argv = self.spec["cmd"].format(**values).split()
        return [self._program(argv[0]), *argv[1:]]

    def _program(self, name: str) -> str:
        if name.startswith("/"):
            return name if os.access(name, os.X_OK) else ""
        try:
            return unconfined(name, self.scratch.folder / "bin")
        except FileNotFoundError:
            return ""


_BLANK = {name: "" for name in ("dot", "doh", "udp", "cert", "key", "state", "conf")}


def systems(scratch: Scratch) -> list[System]:
    specs = tomllib.loads((HERE / "peers/peers.toml").read_text())
    return [System(name, spec, scratch) for name, spec in specs.items()]


def _knows_doh() -> bool:
    """Whether this porchlight's configuration has a place for DoH."""
    said = subprocess.run([BUILD / "porchlight", "config", "schema"], capture_output=True, text=True)
    with contextlib.suppress(ValueError, KeyError):
        resolver = json.loads(said.stdout)["properties"]["resolver"]
        return "doh" in resolver["properties"]
    return False


def _with_doh(text: str, port: int) -> str:
    config = json.loads(text)
    config["resolver"]["doh"] = [{"port": port}]
    return json.dumps(config)
