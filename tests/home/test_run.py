"""`./run` tells the story that README.md shows, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from lab.home import left_overs
from lab.program import Program, eventually

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
    eventually("the home is up to be played with", lambda: "until Ctrl-C" in program.said(),
               within_s=300)
    assert left_by(program.pid), "the control: a home that stands is found"
    os.killpg(program.pid, number)
    program.wait(within_s=20)
    assert left_by(program.pid) == []


def test_after_a_failure_nothing_is_left(tmp_path: Path) -> None:
    program = visit(tmp_path, "--once", PORCHLIGHT="/bin/false")
    assert program.wait(within_s=300) != 0
    assert left_by(program.pid) == []


def test_it_says_who_may_run_it(tmp_path: Path) -> None:
    for command in ("run", "test"):
        done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", str(ROOT / command)],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "sudo" in done.stderr, done
