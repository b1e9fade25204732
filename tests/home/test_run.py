"""`./run` tells the story that README.md shows, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from lab import Home, decode
from lab.home import left_overs
from lab.isp import ADN
from lab.program import Program, eventually
from lab.router import LAN4, announces

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- the story: written by ./run --record -->", "<!-- the story ends -->"


def shape(story: str) -> list[str]:
    """A story without what differs from one telling to the next: numbers and dates."""
    lines = [re.sub(r"\b[0-9a-f]{6,}\b|\d+", "0", line).rstrip() for line in story.splitlines()]
    return [line for line in lines if line]


def left_by(pid: int) -> list[str]:
    return [name for name in left_overs() if f"{pid}-" in name]


def visit(folder: Path, *arguments: str, **env: str) -> Program:
    return Program("run", [str(ROOT / "run"), *arguments], folder / "run.log", env)


def test_the_story_has_the_shape_that_the_readme_shows(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    shown = readme.split(BEGIN, 1)[1].split(END, 1)[0].strip().removeprefix("```text")
    program = visit(tmp_path, "--once")
    assert program.wait(within_s=300) == 0, program.said()
    told = program.said()
    told = told[told.index("A home stands"):told.index("The home is gone")]
    assert shape(told) == shape(shown.removesuffix("```"))
    assert left_by(program.pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_ctrl_c_nothing_is_left(tmp_path: Path, number: int) -> None:
    program = visit(tmp_path)
    eventually("the home is up to be played with",
               lambda: "until Ctrl-C" in program.said() or not program.alive(), within_s=300)
    assert program.alive(), program.said()
    assert left_by(program.pid), "the control: a home that stands is found"
    os.killpg(program.pid, number)
    program.wait(within_s=60)
    assert left_by(program.pid) == []


def test_after_a_failure_nothing_is_left(tmp_path: Path) -> None:
    program = visit(tmp_path, "--once", PORCHLIGHT="/bin/false")
    assert program.wait(within_s=300) != 0
    assert left_by(program.pid) == []


def test_on_real_interfaces_it_runs_in_the_foreground_and_withdraws_at_ctrl_c(
        plain_home: Home) -> None:
    router = plain_home.router
    program = router.ns.start("run", str(ROOT / "run"), "--lan", "br-lan", "--wan", "eth0",
                              "--config", str(router.config_file))
    router.until("it announces", announces, within_s=120)
    host = plain_home.host()
    host.join()
    assert host.dhcpv4() == [decode.Resolver(1, ADN, (LAN4,), ("dot",))]
    os.killpg(program.pid, signal.SIGINT)
    assert program.wait(within_s=60) == 0, program.said()
    assert host.dhcpv4() == host.dhcpv6() == []
    assert router.ruleset() == ""


def test_on_real_interfaces_without_a_file_it_makes_one_and_takes_it_away(
        plain_home: Home) -> None:
    router = plain_home.router
    program = router.ns.start("run-plain", str(ROOT / "run"), "--lan", "br-lan", "--wan", "eth0")
    eventually("the forwarder listens on loopback",
               lambda: ":5453 " in router.ns.run("ss", "-H", "-lnu").stdout, within_s=120)
    config = Path(re.search(r"runs with (\S+):", program.said()).group(1))
    assert config.exists()
    os.killpg(program.pid, signal.SIGINT)
    assert program.wait(within_s=60) == 0, program.said()
    assert not config.parent.exists()


def test_it_does_not_take_a_file_that_is_about_other_interfaces(plain_home: Home) -> None:
    done = plain_home.router.ns.run(
        str(ROOT / "run"), "--lan", "br-lan", "--wan", "wlan0", "--config",
        str(plain_home.router.config_file), check=False, within_s=300)
    assert done.returncode == 1 and "wlan0" in done.stderr


def test_it_says_who_may_run_it(tmp_path: Path) -> None:
    for command in ("run", "test"):
        done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", str(ROOT / command)],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "sudo" in done.stderr, done
