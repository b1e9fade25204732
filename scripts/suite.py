"""The steps of `./test`: each is run, timed and counted; the last line is the sum.

A skipped test that `tests/skips` does not list, with its reason, counts as failed. A step that
cannot say how many tests it ran (a build that breaks, a program that crashes) is one failure.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "tests/home"
FORWARDER = ROOT / "tests/forwarder"
# Only the forwarder has more than one thread; the build preset `tsan` builds no other units.
WITH_THREADS = "unit_(core|net|forwarder)"
FUZZ_SECONDS = 30


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


Step = Callable[[], Count]


def main() -> int:
    parser = argparse.ArgumentParser(prog="test")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--unit", action="store_true")
    parser.add_argument("--home", action="store_true")
    parser.add_argument("-k", metavar="EXPRESSION", default="")
    chosen = parser.parse_args()

    units: list[tuple[str, Step]] = [
        ("build with ASan and UBSan", lambda: build("asan")),
        ("units under ASan and UBSan", lambda: units_of("asan")),
        ("forwarder under ASan, against programs of others",
         lambda: scenarios(FORWARDER, chosen.k, "", ROOT / "build/asan/porchlight"))]
    homes: list[tuple[str, Step]] = [
        ("build as released", lambda: build("release")),
        ("scenarios in homes", lambda: scenarios(HOME, chosen.k, "" if chosen.all or chosen.home
                                                 else "not slow"))]
    more: list[tuple[str, Step]] = [
        ("build units as released", lambda: build("release", "--everything",
                                                   "-DPORCHLIGHT_TESTS=ON")),
        ("units as released", lambda: units_of("release")),
        ("build with TSan", lambda: build("tsan")),
        ("units under TSan", lambda: units_of("tsan", WITH_THREADS)),
        ("forwarder under TSan, against programs of others",
         lambda: scenarios(FORWARDER, "", "", ROOT / "build/tsan/porchlight")),
        ("build fuzz targets", lambda: build("fuzz") if fuzz_targets() else Count()),
        (f"fuzz, {FUZZ_SECONDS} s a target", fuzz)]
    if chosen.unit or chosen.home:
        steps = (units if chosen.unit else []) + (homes if chosen.home else [])
    else:
        steps = units + homes + (more if chosen.all else [])
    return run(steps)


def run(steps: list[tuple[str, Step]]) -> int:
    total, times = Count(), []
    for name, step in steps:
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        count = step()
        took = time.monotonic() - start
        times.append(f"  {took:7.1f} s  {name}: {count}")
        print(f"== {name}: {count}, {took:.1f} s", flush=True)
        total.add(count)
    print("\n" + "\n".join(times))
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


def build(preset: str, *settings: str) -> Count:
    """Counts as nothing when it works, as one failure when it does not."""
    done = subprocess.run([ROOT / "scripts/build", preset, *settings]).returncode
    return Count(failed=0 if done == 0 else 1)


def units_of(preset: str, only: str = ".") -> Count:
    """One CTest test is one doctest program, which says how many cases it had."""
    said = subprocess.run(
        ["ctest", "--test-dir", ROOT / "build" / preset, "-V", "-j2", "--timeout", "600",
         "-R", only],
        capture_output=True, text=True, errors="replace", env={**os.environ, **SANITIZERS}).stdout
    count = Count()
    programs = re.findall(r"^\s*\d+/\d+ Test +#(\d+): (\S+) \.+\W*(\S.*?) +[\d.]+ sec", said, re.M)
    for number, program, verdict in programs:
        lines = re.findall(rf"^{number}: (.*)$", said, re.M)
        cases = re.search(r"test cases: +(\d+) +\| +(\d+) passed \| +(\d+) failed \| +(\d+) skipped",
                          "\n".join(lines))
        each = Count(*map(int, cases.groups()[1:])) if cases else Count()
        if each.skipped and program not in skips():
            print(f"{program}: skips {each.skipped} cases that tests/skips does not list")
            each.failed += each.skipped
            each.skipped = 0
        if "Passed" not in verdict and not each.failed:
            each.failed = 1  # it crashed, hung, or a sanitizer spoke at its end
        if each.failed:
            print("\n".join(lines))
        print(f"  {program}: {each}")
        count.add(each)
    if not programs:
        print(said)
        count.failed += 1
    return count


SANITIZERS = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
              "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "halt_on_error=1"}


def scenarios(where: Path, expression: str, marks: str, program: Path | None = None) -> Count:
    chosen = {"PORCHLIGHT": str(program)} if program else {}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        # Debian's pytest, whatever other Python there is: its modules are the packages'.
        subprocess.run(["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-v",
                        "--tb=short", "--durations=10", "--junitxml", report, "-k", expression,
                        "-m", marks, str(where)], cwd=where,
                       env={**os.environ, **SANITIZERS, **chosen, "PYTHONDONTWRITEBYTECODE": "1"})
        if not report.exists():
            return Count(failed=1)
        count = Count()
        for case in xml.parse(report).iter("testcase"):
            name = f"{case.get('classname', '').split('.')[-1]}::{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                count.failed += 1
            elif case.find("skipped") is None:
                count.passed += 1
            elif name in skips():
                count.skipped += 1
            else:
                print(f"{name}: skipped, and tests/skips does not list it")
                count.failed += 1
    return count


def skips() -> dict[str, str]:
    """Test and reason, one a line, of `tests/skips`."""
    lines = (ROOT / "tests/skips").read_text().splitlines()
    listed = dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))
    return {test: reason for test, reason in listed.items() if reason.strip()}


def fuzz_targets() -> bool:
    return (ROOT / "tests/fuzz/CMakeLists.txt").exists()


def fuzz() -> Count:
    """Each target runs a while on its corpus; what it finds new is not kept."""
    count = Count()
    programs = [path for path in sorted((ROOT / "build/fuzz").glob("fuzz_*"))
                if path.is_file() and os.access(path, os.X_OK)]
    for program in programs:
        with tempfile.TemporaryDirectory() as found:
            corpus = [str(ROOT / "tests/fuzz/corpus" / program.name.removeprefix("fuzz_"))]
            done = subprocess.run(
                [program, f"-max_total_time={FUZZ_SECONDS}", "-print_final_stats=0", "-verbosity=0",
                 f"-artifact_prefix={found}/", found, *filter(os.path.isdir, corpus)],
                capture_output=True, text=True, errors="replace", cwd=found)
            print(f"  {program.name}: {'passed' if done.returncode == 0 else 'FAILED'}", flush=True)
            if done.returncode != 0:
                print(done.stderr[-6000:])
                for artifact in Path(found).glob("crash-*"):
                    print(f"  input: {artifact.read_bytes().hex()}")
            count.add(Count(passed=1) if done.returncode == 0 else Count(failed=1))
    if fuzz_targets() and not programs:
        count.failed += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
