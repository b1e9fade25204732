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
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "tests/home"
FORWARDER = ROOT / "tests/forwarder"
BENCH = ROOT / "tests/bench"
# Only the forwarder has more than one thread; the build preset `tsan` builds no other units.
WITH_THREADS = "unit_(core|net|forwarder)"
FUZZ_SECONDS = 12
FOREIGN = ("s390x", "armhf")
# Homes wait for their programs' timers most of the time.
HOMES_AT_ONCE = 3
# So do the clients of the forwarder; but what these measure nobody else shall disturb.
FORWARDERS_AT_ONCE = 3
ALONE = {"test_floods.py", "test_idle.py"}
IN_A_NETWORK_OF_ITS_OWN = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "-"]
# Of so few files scenarios that failed beside others are run again, alone: see tests/README.md.
AGAIN_MAX = 3
# Steps of `--all` that are programs of their own and end with a sum like ours.
PROGRAMS = {
    "each check of the codecs is missed when it is gone": "tests/mutants/run",
    "lines of the parsers that units reach": "tests/coverage/run",
    "planted overruns that fuzzing finds": "tests/fuzz/planted",
}
SUM = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


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

    return run(steps(chosen))


def steps(chosen: argparse.Namespace) -> list[tuple[str, Step]]:
    every = chosen.all and not (chosen.unit or chosen.home)
    units: list[tuple[str, Step]] = [
        ("build with ASan and UBSan", lambda: build("asan")),
        ("units under ASan and UBSan", lambda: units_of("asan")),
        ("forwarder under ASan, against programs of others",
         lambda: forwarders("asan", "not released", chosen.k))]
    in_homes: list[tuple[str, Step]] = [
        ("build as released", lambda: build("release")),
        ("scenarios in homes",
         lambda: homes(chosen.k, "" if chosen.all or chosen.home else "not slow"))]
    more: list[tuple[str, Step]] = [
        ("build what measures the release", lambda: build("bench")),
        ("memory of the forwarder, as released",
         lambda: forwarders("release", "memory or released")),
        ("build with TSan", lambda: build("tsan")),
        ("units under TSan", lambda: units_of("tsan", WITH_THREADS)),
        ("forwarder under TSan, against programs of others",
         lambda: forwarders("tsan", "not released"))]
    for architecture in FOREIGN:
        more += [(f"build for {architecture}", partial(build, architecture)),
                 (f"units on {architecture}, by qemu", partial(units_of, architecture))]
    more += [("build fuzz targets", lambda: build("fuzz") if fuzz_targets() else Count()),
             (f"fuzz, {FUZZ_SECONDS} s a target", fuzz)]
    more += [(name, partial(program, path)) for name, path in PROGRAMS.items()]
    more += [("the bench works", lambda: scenarios(BENCH, "", ""))]
    if chosen.unit or chosen.home:
        return (units if chosen.unit else []) + (in_homes if chosen.home else [])
    return units + in_homes + (more if every else [])


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


def program(path: str) -> Count:
    """Shows what a program of the tree says, and takes its last line for the count."""
    if not os.access(ROOT / path, os.X_OK):
        print(f"{path}: is not there to be run")
        return Count(failed=1)
    last = ""
    with subprocess.Popen([ROOT / path], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as running:
        for line in running.stdout or []:
            print(line, end="", flush=True)
            last = line.strip() or last
    told = SUM.match(last)
    count = Count(*map(int, told.groups())) if told else Count(failed=1)
    if count.skipped and path not in skips():
        print(f"{path}: skips {count.skipped} that tests/skips does not list")
        count = Count(count.passed, count.failed + count.skipped)
    if running.returncode != 0 and not count.failed:
        count.failed = 1
    return count


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
        # On a foreign architecture tests/skips itself is what leaves suites out. A case that skips
        # for another reason skips here too, and is found under ASan.
        if each.skipped and program not in skips() and preset not in FOREIGN:
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


def scenarios(where: Path, expression: str, marks: str) -> Count:
    """A folder of scenarios, one after the other."""
    return pytest([str(where)], where, {}, "-k", expression, "-m", marks).count


def forwarders(preset: str, marks: str, expression: str = "") -> Count:
    env = {"PORCHLIGHT": str(ROOT / "build" / preset / "porchlight")}
    files = large_first(FORWARDER)
    runs = beside([file for file in files if file.name not in ALONE], FORWARDERS_AT_ONCE, env,
                  IN_A_NETWORK_OF_ITS_OWN, "-k", expression, "-m", marks)
    runs += beside([file for file in files if file.name in ALONE], 1, env,
                   IN_A_NETWORK_OF_ITS_OWN, "-k", expression, "-m", marks)
    return sum_with_second_tries(runs, FORWARDER, env, IN_A_NETWORK_OF_ITS_OWN)


def homes(expression: str, marks: str) -> Count:
    runs = beside(large_first(HOME), HOMES_AT_ONCE, {}, [], "-k", expression, "-m", marks)
    return sum_with_second_tries(runs, HOME, {}, [])


def large_first(folder: Path) -> list[Path]:
    """They take longest."""
    return sorted(folder.glob("test_*.py"), key=lambda file: -file.stat().st_size)


def beside(files: list[Path], at_once: int, env: dict[str, str], under: list[str], *options: str
           ) -> list[Run]:
    """Some files at once, each by a pytest of its own that shows what it said at its end."""
    runs = []
    with ThreadPoolExecutor(at_once) as pool:
        for run in pool.map(lambda file: pytest([file.name], file.parent, env, *options,
                                                under=under, show=False), files):
            if run.status != NOTHING_CHOSEN:
                # What a failure beside others counts for is known at the end.
                mark = "beside others: " if run.failed else ""
                print("\n".join(mark + line for line in run.said.splitlines()), flush=True)
            runs.append(run)
    return runs


def sum_with_second_tries(runs: list[Run], where: Path, env: dict[str, str], under: list[str]
                          ) -> Count:
    """Never where a sanitizer spoke: what it found once is there."""
    count = Count()
    for run in runs:
        count.add(run.count)
        for name in run.failed:
            print(f"FAILED {name}", flush=True)
    failed = [run for run in runs if run.failed]
    if len(failed) <= AGAIN_MAX:
        for run in failed:
            if not REPORT.search(run.said):
                count.add(once_more(run, where, env, under))
    return count


def once_more(first: Run, where: Path, env: dict[str, str], under: list[str]) -> Count:
    """What has to be added to the count of those that failed beside others, for what they do
    alone."""
    again = pytest(first.failed, where, env, under=under, show=False)
    print(again.said, flush=True)
    count = Count()
    for name in first.failed:
        if name in again.passed and not REPORT.search(again.said):
            print(f"UNSTEADY {name}: failed beside others, passes alone", flush=True)
            count.add(Count(passed=1, failed=-1))
    return count


REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")
SOME_FAILED, NOTHING_CHOSEN = 1, 5  # pytest's exit status


@dataclasses.dataclass
class Run:
    """Of one pytest."""
    count: Count
    passed: set[str]  # as pytest takes them for arguments
    failed: list[str]
    said: str
    status: int


def pytest(what: list[str], where: Path, env: dict[str, str], *options: str,
           under: list[str] = [], show: bool = True) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        # Debian's pytest, whatever other Python there is: its modules are the packages'.
        done = subprocess.run(
            [*under, "/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-v", "--tb=short",
             "--durations=10", "--junitxml", report, *options, *what],
            cwd=where, text=True, errors="replace",
            stdout=None if show else subprocess.PIPE, stderr=None if show else subprocess.STDOUT,
            env={**os.environ, **SANITIZERS, **env, "PYTHONDONTWRITEBYTECODE": "1"})
        run = Run(Count(), set(), [], done.stdout or "", done.returncode)
        try:
            cases = xml.parse(report).iter("testcase")
        except (OSError, xml.ParseError):
            cases = iter(())
        count, failed = run.count, []
        # Interrupted, or not even begun: what did not run failed.
        if done.returncode not in (0, SOME_FAILED, NOTHING_CHOSEN):
            print(f"{' '.join(what)}: pytest ended with {done.returncode}", flush=True)
            count.failed += 1
        for case in cases:
            name = f"{case.get('classname', '').split('.')[-1]}::{case.get('name')}"
            argument = name.replace("::", ".py::", 1)
            if case.find("failure") is not None or case.find("error") is not None:
                count.failed += 1
                failed.append(argument)
            elif case.find("skipped") is None:
                count.passed += 1
                run.passed.add(argument)
            elif name in skips():
                count.skipped += 1
            else:
                print(f"{name}: skipped, and tests/skips does not list it")
                count.failed += 1
        # One that failed in its body and behind it stands there twice, or beside a pass.
        run.failed = list(dict.fromkeys(failed))
        run.passed -= set(failed)
        return run


def skips() -> dict[str, str]:
    """Test and reason, one a line, of `tests/skips`."""
    lines = (ROOT / "tests/skips").read_text().splitlines()
    listed = dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))
    return {test: reason for test, reason in listed.items() if reason.strip()}


def fuzz_targets() -> bool:
    return (ROOT / "tests/fuzz/CMakeLists.txt").exists()


def fuzz() -> Count:
    """Each target runs a while on its corpus; what it finds new is not kept."""
    targets = [path for path in sorted((ROOT / "build/fuzz").glob("fuzz_*"))
               if path.is_file() and os.access(path, os.X_OK)]
    count = Count(failed=1) if fuzz_targets() and not targets else Count()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for each in pool.map(fuzz_one, targets):
            count.add(each)
    return count


def fuzz_one(target: Path) -> Count:
    with tempfile.TemporaryDirectory() as found:
        corpus = [str(ROOT / "tests/fuzz/corpus" / target.name.removeprefix("fuzz_"))]
        done = subprocess.run(
            [target, f"-max_total_time={FUZZ_SECONDS}", "-print_final_stats=0", "-verbosity=0",
             f"-artifact_prefix={found}/", found, *filter(os.path.isdir, corpus)],
            capture_output=True, text=True, errors="replace", cwd=found)
        if done.returncode == 0:
            print(f"  {target.name}: passed", flush=True)
            return Count(passed=1)
        inputs = [f"  input: {crash.read_bytes().hex()}" for crash in Path(found).glob("crash-*")]
        print("\n".join([f"  {target.name}: FAILED", done.stderr[-6000:], *inputs]), flush=True)
        return Count(failed=1)


if __name__ == "__main__":
    sys.exit(main())
