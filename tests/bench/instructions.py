"""Where the instructions of a cached answer go, by callgrind: `./bench --profile`. The forwarder alone,
driven as tests/forwarder does, because the real one starts itself anew and lives under a filter of
system calls, and valgrind can follow neither. The kernel's part is not in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from load import BUILD, Load, checked
from processes import SERVER, Failed, end, spawn, tree
from systems import UPSTREAM_PORT, Scratch

_DOT, _DO53, _DOH = 18853, 18053, 18443
# Start, handshakes and the first look-ups are the same in both, and so not in the difference.
_FEW, _MANY = 5_000, 25_000
_FUNCTIONS = 25


def of_a_cached_answer(scratch: Scratch) -> str:
    few, many = _run(scratch, _FEW), _run(scratch, _MANY)
    per_answer = {what: (count - few.get(what, 0)) / (_MANY - _FEW) for what, count in many.items()}
    most = sorted(per_answer, key=lambda what: -per_answer[what])[:_FUNCTIONS]
    rows = [(sum(per_answer.values()), "instructions a cached DoT answer, 10 connections × 20"),
            *_by_object(per_answer), *((per_answer[what], what) for what in most)]
    return "\n".join(f"{count:9.1f}  {what}" for count, what in rows)


def _by_object(per_answer: dict[str, float]) -> list[tuple[float, str]]:
    """Sums of the program and of each library."""
    sums: dict[str, float] = {}
    for what, count in per_answer.items():
        where = re.search(r"\[(.*)\]$", what)
        name = where[1] if where else "elsewhere"
        sums[name] = sums.get(name, 0) + count
    return [(count, f"all of {name}") for name, count in sorted(
        sums.items(), key=lambda each: -each[1]) if count >= 1]


def _run(scratch: Scratch, questions: int) -> dict[str, int]:
    """Instructions of each function while so many were answered, and all that leads there."""
    folder = scratch.folder
    with (folder / "callgrind.log").open("w") as log:
        driver = spawn(["valgrind", "--tool=callgrind",
                        f"--callgrind-out-file={folder}/callgrind.%p", str(BUILD / "forwarder_driver"),
                        "1", str(_DOT), str(_DO53), str(_DOH)], SERVER, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        _told(driver)
        _tell(driver, f"identity {folder}/cert.pem {folder}/key.pem", f"roots {folder}/ca.pem",
              f"upstream dot.bench.net 127.0.0.1:{UPSTREAM_PORT}", "adn router.bench.net 127.0.0.1",
              "limit queries_per_client_second 10000000",
              "limit queries_per_client_burst 10000000", "apply")
        forwarder = tree(driver.pid)[-1]
        checked(Load(_DOT, 120, conns=10, depth=20, names=1000, warm=1, count=questions).go())
        driver.stdin.close()
        driver.wait(30)
    finally:
        end(driver)
    return _by_function(folder / f"callgrind.{forwarder}")


def _tell(driver: subprocess.Popen, *lines: str) -> None:
    for line in lines:
        driver.stdin.write(line + "\n")
        driver.stdin.flush()
        _told(driver)


def _told(driver: subprocess.Popen) -> None:
    answer = driver.stdout.readline().strip()
    if not answer.startswith("ok"):
        raise Failed(f"the forwarder's driver says {answer or 'nothing'}")


def _by_function(profile: Path) -> dict[str, int]:
    said = subprocess.run(["callgrind_annotate", "--threshold=100", str(profile)],
                          capture_output=True, text=True, check=True).stdout
    counts: dict[str, int] = {}
    for count, what in re.findall(r"^ *([\d,]+) \([^)]*\) +\S*?:(\S.*)$", said, re.M):
        function = re.sub(r"\[.*/(.*)\]$", r"[\1]", what)  # of the library, its name alone
        counts[function] = counts.get(function, 0) + int(count.replace(",", ""))
    return counts
