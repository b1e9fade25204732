"""That `./bench` works: a quick run of it has every row. Never how fast anything is."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import socket
import subprocess
import threading
import time
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Callable, Iterator

import pytest

import figures
import load
import picture
import processes
import report
from figures import CURVES, FIGURES, FLOOR, OURS, Figure, judge

ROOT = Path(__file__).resolve().parents[2]
TIMED = Figure("timed", "something timed", "µs", 2, 2.0, 0.25)


@dataclasses.dataclass(frozen=True)
class Quick:
    said: str
    results: dict
    picture: xml.Element


@pytest.fixture(scope="module")
def quick() -> Quick:
    done = subprocess.run([ROOT / "bench", "--quick"], capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    folder = ROOT / "build/bench/quick"
    return Quick(done.stdout, json.loads((folder / "bench.json").read_text()),
                 xml.fromstring((folder / "bench.svg").read_text()))


def test_every_figure_has_a_row_and_a_value_of_porchlight(quick: Quick) -> None:
    for figure in FIGURES:
        row = next((line for line in quick.said.splitlines()
                    if line.startswith(f"| {figure.what} ")), "")
        assert row, f"no row for {figure.key}:\n{quick.said}"
        if figure.key == "doh" and "not served" in row:
            continue
        assert quick.results["verdicts"][figure.key]["value"], f"{row}\n{quick.results['notes']}"


def test_the_floor_and_some_peer_stand_beside_it(quick: Quick) -> None:
    values = quick.results["values"]
    for figure in FIGURES:
        if figure.of_floor:
            assert values[FLOOR].get(figure.floor or figure.key), quick.results["notes"]
        if figure.of_peer and not figure.heap_only:
            assert figures.best_peer(figure, values, set())[0], quick.results["notes"]


def test_every_curve_has_its_points(quick: Quick) -> None:
    for curve in CURVES:
        assert len(quick.results["points"][curve.key]) > 1, quick.results["notes"]


def test_the_picture_shows_what_the_table_says(quick: Quick) -> None:
    said = {"".join(text.itertext()) for text in quick.picture.iter("{http://www.w3.org/2000/svg}text")}
    for figure in FIGURES:
        if quick.results["verdicts"][figure.key]["value"]:
            assert any(text.startswith(figure.what) for text in said), figure.what


def test_nothing_of_it_runs_on(quick: Quick) -> None:
    assert "Configurations and logs" not in quick.said
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert b"porchlight-bench-" not in command.read_bytes(), command
        except OSError:
            pass  # it just ended


def test_the_profile_names_functions_of_ours() -> None:
    done = subprocess.run([ROOT / "bench", "--profile"], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^ +([\d.]+)  (.*)$", done.stdout, re.M)
    assert "instructions a cached DoT answer" in told[0][1], done.stdout
    assert float(told[0][0]) > max(float(count) for count, _ in told[1:])
    assert any("porchlight::forwarder::" in function for _, function in told), done.stdout


@contextlib.contextmanager
def answering(change: Callable[[bytearray], None]) -> Iterator[int]:
    """A server of plain DNS whose answers `change` may spoil; yields its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    query, client = server.recvfrom(512)
                    answer = bytearray(query)
                    answer[2] |= 0x80
                    answer[7] = 1  # one answer, which stands behind the OPT: nobody reads that far
                    change(answer)
                    server.sendto(answer, client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join()


def asked(port: int) -> dict:
    return load.Load(port, 3, proto="udp", conns=2, depth=2, count=40).go()


def test_the_load_generator_tells_right_answers_from_wrong_ones(quick: Quick) -> None:
    def refuse(answer: bytearray) -> None:
        answer[3] |= 5

    def say_nothing(answer: bytearray) -> None:
        answer[7] = 0

    def answer_another(answer: bytearray) -> None:
        answer[14] ^= 1  # a digit of the name

    with answering(lambda answer: None) as port:
        right = asked(port)
    assert (right["answers"], right["wrong"], right["lost"]) == (40, 0, 0)
    load.checked(right)
    for spoil in (refuse, say_nothing, answer_another):
        with answering(spoil) as port:
            wrong = asked(port)
        assert (wrong["answers"], wrong["wrong"]) == (0, 40), spoil
        with pytest.raises(processes.Failed):
            load.checked(wrong)


def test_a_limit_is_the_stricter_of_floor_and_best_peer() -> None:
    values = {FLOOR: {"timed": [1.0]}, OURS: {"timed": [1.5]}, "slow": {"timed": [8.0]},
              "quick": {"timed": [7.0, 6.0, 9.0]}}
    verdict = judge(TIMED, values, set())
    assert (verdict.peer, verdict.peer_value) == ("quick", 7.0)
    assert verdict.limit == 0.25 * 7 and verdict.met
    assert verdict.of_floor() == 1.5
    assert judge(TIMED, values | {OURS: {"timed": [1.8]}}, set()).met is False


def test_nobody_need_be_quicker_than_the_floor() -> None:
    values = {FLOOR: {"timed": [2.0]}, OURS: {"timed": [2.1]}, "peer": {"timed": [4.0]}}
    verdict = judge(TIMED, values, set())
    assert verdict.limit == pytest.approx(2.1) and verdict.met


def test_throughput_is_to_be_more() -> None:
    figure = Figure("rate", "a rate", "kq/s", 0, None, 3.0, more_is_better=True)
    values = {FLOOR: {"rate": [1000.0]}, OURS: {"rate": [310.0]}, "a": {"rate": [100.0]},
              "b": {"rate": [90.0]}}
    assert judge(figure, values, set()).met
    assert judge(figure, values | {"a": {"rate": [110.0]}}, set()).met is False


def test_a_peer_that_keeps_its_cache_elsewhere_does_not_count() -> None:
    figure = Figure("name", "a name", "B", 0, None, 0.65, heap_only=True)
    values = {OURS: {"name": [150.0]}, "file": {"name": [120.0]}, "heap": {"name": [300.0]}}
    assert judge(figure, values, {OURS, "heap"}).peer == "heap"


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    verdict = judge(figures.BY_KEY["doh"], {FLOOR: {"doh": [1.0]}, "peer": {"doh": [9.0]}}, set())
    assert verdict.met is None
    table = report.verdicts_table([verdict], {"dot"})
    assert "not served" in table and "not taken" in report.verdicts_table([verdict], {"doh"})


def test_what_falls_short_is_said() -> None:
    values = {FLOOR: {"timed": [1.0]}, OURS: {"timed": [3.0]}}
    points = {"connections": {1000: 10.0, 5000: 10.5, 10000: 12.0}}
    said = report.short_of([judge(TIMED, values, set())], points)
    assert said == ["something timed: 3.00 µs, wanted ≤ 2.00 (2 × floor, 0.25 × peer)",
                    "memory an idle DoT connection: grows 1.20 times with connections, "
                    "wanted at most 1.1"]


def test_a_picture_of_nothing_is_still_a_picture() -> None:
    xml.fromstring(picture.draw("a < b", [], {}, {}))


def test_memory_that_processes_share_counts_once() -> None:
    octets = bytearray(os.urandom(1 << 20) * 32)
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    try:
        alone = processes.resident_bytes([os.getpid()])
        both = processes.resident_bytes([os.getpid(), child])
        assert len(octets) < alone <= both < alone + len(octets) / 2
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_processor_time_is_that_of_the_processes_asked_for() -> None:
    with processes.Stopwatch([os.getpid()]) as busy:
        sum(number * number for number in range(300_000))
    with processes.Stopwatch([os.getpid()]) as idle:
        time.sleep(0.05)
    assert busy.cpu_s > idle.cpu_s >= 0
    assert os.getpid() in processes.tree(os.getppid())
