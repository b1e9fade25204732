"""`./bench`: every figure of every system, in one interleaved run, each round all of them in turn, so
that what else happens on the machine falls on all alike. Called in a network namespace of its own."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import home  # noqa: E402
import instructions  # noqa: E402
import machine  # noqa: E402
import measures  # noqa: E402
import picture  # noqa: E402
import report  # noqa: E402
from figures import FIGURES, OURS, Values, judge  # noqa: E402
from processes import Failed, end  # noqa: E402
from systems import Scratch, System, systems  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build/bench"
KEYS = [figure.key for figure in FIGURES] + ["names"]


class Run:
    def __init__(self, chosen: argparse.Namespace, scratch: Scratch) -> None:
        self.sizes = measures.QUICK if chosen.quick else measures.FULL
        self.rounds = chosen.rounds or self.sizes.rounds
        self.wanted = set(chosen.only or KEYS)
        self.scratch = scratch
        everybody = systems(scratch)
        self.absent = {one.name: why for one in everybody if (why := one.missing())}
        self.systems = [one for one in everybody if one.name not in self.absent]
        self.values: Values = {one.name: {} for one in self.systems}
        self.points: report.Points = {}
        self.notes: list[str] = [f"{name} is left out: {why}" for name, why in self.absent.items()]

    def go(self) -> None:
        for number in range(1, self.rounds + 1):
            for one in self.systems:
                began = time.monotonic()
                wanted = self.wanted if number == 1 else self.wanted - {"names"}
                measures.take(self._taking(one, number, wanted))
                if one.name == OURS:
                    self._homes(number)
                print(f"  round {number} of {self.rounds}: {one.name}, "
                      f"{time.monotonic() - began:.0f} s", flush=True)

    def _taking(self, one: System, number: int, wanted: set[str]) -> measures.Taking:
        def put(key: str, value: float) -> None:
            if key in wanted:
                self.values[one.name].setdefault(key, []).append(value)

        def point(curve: str, size: int, value: float) -> None:
            self.points.setdefault(curve, {})[size] = value

        return measures.Taking(one, self.sizes, wanted, put,
                               lambda why: self._note(number, one.name, why), point)

    def _homes(self, number: int) -> None:
        for key, system_roots in (("memory_home", False), ("memory_home_shipped", True)):
            if key not in self.wanted:
                continue
            try:
                octets = home.memory_bytes(self.sizes.hosts, system_roots)
                self.values[OURS].setdefault(key, []).append(octets / 2**20)
            except (Failed, AssertionError, OSError, subprocess.SubprocessError) as why:
                self._note(number, OURS, f"{key}: {why}")

    def _note(self, number: int, name: str, why: str) -> None:
        self.notes.append(f"{name}, round {number}: {why}")
        print(f"  {self.notes[-1]}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=KEYS, metavar="FIGURE")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = Path(tempfile.mkdtemp(prefix="porchlight-bench-"))
    folder.chmod(0o755)
    scratch = Scratch(folder)
    try:
        if chosen.profile:
            print(instructions.of_a_cached_answer(scratch))
            return 0
        here = machine.look(0.3 if chosen.quick else 3)
        run = Run(chosen, scratch)
        run.go()
        tell(run, here, chosen.quick)
        return 0
    except KeyboardInterrupt:
        return 130
    finally:
        end(scratch.upstream)
        if chosen.keep:
            print(f"Configurations and logs are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def tell(run: Run, here: machine.Machine, quick: bool) -> None:
    heaps = {one.name for one in run.systems if one.spec.get("heap")}
    served = {how for one in run.systems if one.name == OURS for how in one.serves}
    verdicts = [judge(figure, run.values, heaps) for figure in FIGURES if figure.key in run.wanted]
    versions = {one.name: one.version() for one in run.systems}
    title = (f"{here.date}, {here.processors} × {here.processor}, {here.memory_gib:.0f} GiB, "
             f"{here.system}, OpenSSL {here.openssl}; {run.rounds} round(s)")
    parts = [title, report.verdicts_table(verdicts, served), report.curves_table(run.points),
             report.systems_table(run.values, versions), "\n".join(run.notes),
             machine.noise(here)]
    if quick:
        parts.append("A quick run shows that the bench works. Its sizes are small: judge nothing by it.")
    else:
        short = report.short_of(verdicts, run.points)
        parts.append("\n".join(["Falls short:", *(f"  {each}" for each in short)]) if short
                     else "Nothing that was measured falls short.")
    text = "\n\n".join(part for part in parts if part)
    print("\n" + text)

    folder = RESULTS / "quick" if quick else RESULTS
    files = {
        "bench.md": text + "\n",
        "bench.svg": picture.draw(title, verdicts, run.values, run.points),
        "bench.json": json.dumps(
            {"machine": dataclasses.asdict(here), "waited": machine.waited(), "quick": quick,
             "versions": versions, "values": run.values, "points": run.points,
             "verdicts": {each.figure.key: {"value": each.ours, "limit": each.limit,
                                            "met": each.met} for each in verdicts},
             "notes": run.notes}, indent=1) + "\n"}
    keep(folder, files)
    print(f"\nAlso in {folder.relative_to(ROOT)}: {', '.join(files)}")


def keep(folder: Path, files: dict[str, str]) -> None:
    """As the owner of the tree, whoever runs this."""
    owner = ROOT.stat()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    for path in (folder, RESULTS, *folder.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)


if __name__ == "__main__":
    sys.exit(main())
