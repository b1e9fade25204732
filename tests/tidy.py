#!/usr/bin/env python3
"""Looks at the tree itself, as `ctest -R tidy` or by hand:

    tests/tidy.py [--porchlight BUILD/porchlight]

Each check is a generator of complaints, "file[:line]: what is wrong"; none means that it passed.
What is exempt stands in a table with its reason, and an exemption that exempts nothing is itself
a complaint. With a program, the configurations that the documentation shows are checked by it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
Complaints = Iterator[str]

# Each folder may include itself and what stands in earlier layers, never its siblings.
LAYERS = [["core"], ["dns"], ["net"], ["acme", "dhcp", "ra", "forwarder"], ["agent"]]
FOLDERS = [folder for layer in LAYERS for folder in layer]
# docs/design.md tells people the same, in this form.
ARROWS = " → ".join(", ".join(layer) for layer in reversed(LAYERS))

LINES_MAX = 600
LONGER = {"docs/configuration.md": "made by `porchlight config reference`"}

WITHOUT_README = {".ci": "one file of five lines", "docs": "README.md of the project leads to its pages"}

INSTALLED = ["sbin/porchlight", "share/man/man8/porchlight.8", "share/doc/porchlight/example.json",
             "share/porchlight/hooks/dhclient", "share/porchlight/hooks/dhcpcd",
             "share/porchlight/hooks/odhcp6c.user", "share/porchlight/hooks/udhcpc.user",
             "share/bash-completion/completions/porchlight", "share/zsh/site-functions/_porchlight",
             "share/fish/vendor_completions.d/porchlight.fish"]

# Asio's parts in headers cost every includer a second; net/asio.h has what signatures need.
BOOST_IN_HEADERS = {
    "net/asio.h": "is the one place",
    "net/connect.h": "returns a socket",
    "net/deadline.h": "is made of a timer and a socket, inline",
    "forwarder/dot_connection.h": "holds timers by value",
    "forwarder/worker.h": "holds an event loop by value",
    "tests/unit/net/tls_stream_server.h": "a test's event loop",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tidy.py", description="Checks the source tree.")
    parser.add_argument("--porchlight", type=Path, help="the program, to check examples with")
    program = parser.parse_args().porchlight

    checks: list[Callable[[], Complaints]] = [
        includes_point_down, links_point_down, sources_are_built, headers_stay_light,
        no_await_within_a_choice,
        folders_have_readmes, readmes_name_every_file, links_lead_somewhere, files_are_short,
        no_path_of_this_machine]
    if program:
        checks.append(lambda: examples_are_valid(program))
        checks.append(lambda: what_is_installed_is_whole(program))
    failed = 0
    for check in checks:
        complaints = list(check())
        failed += bool(complaints)
        for complaint in complaints:
            print(complaint)
    # In doctest's words, because ./test adds up what the programs under CTest say.
    print(f"test cases: {len(checks)} | {len(checks) - failed} passed | {failed} failed | 0 skipped")
    return 1 if failed else 0


# The code.


def includes_point_down() -> Complaints:
    """Also for unit tests: the program of a folder is linked to that folder alone."""
    for path in files(".h", ".cc"):
        owner = owner_of(path)
        for number, line in numbered(path):
            match = re.match(r'\s*#\s*include\s+"([a-z]+)/', line)
            if owner and match and match[1] in FOLDERS and match[1] not in may_include(owner):
                yield f"{name(path)}:{number}: {owner} must not know of {match[1]}"


def links_point_down() -> Complaints:
    """CMake links what the layers allow, and docs/design.md shows the same layers."""
    links = dict(re.findall(r"^porchlight_library\((\w+)([^)]*)\)", read("CMakeLists.txt"), re.M))
    for folder in FOLDERS:
        if folder not in links:
            yield f"CMakeLists.txt: no library for {folder}"
        for linked in re.findall(r"porchlight_(\w+)", links.get(folder, "")):
            if linked not in may_include(folder):
                yield f"CMakeLists.txt: {folder} must not be linked to {linked}"
    if ARROWS not in read("docs/design.md"):
        yield f"docs/design.md: does not say that dependencies point {ARROWS}"


def sources_are_built() -> Complaints:
    """By a folder's glob, or named in the CMakeLists.txt beside it or above."""
    globbed = [*FOLDERS, *(f"tests/unit/{folder}" for folder in FOLDERS)]
    for path in files(".cc"):
        if name(path.parent) in globbed:
            continue
        lists = [up / "CMakeLists.txt" for up in path.parents if ROOT in (up, *up.parents)]
        named = re.sub(r"#.*", "", "\n".join(one.read_text() for one in lists if one.exists()))
        # Fuzz targets stand in a list without what their names share.
        words = set(re.split(r"[\s();]+", named))
        if not words & {path.name, name(path), f"{path.parent.name}/{path.name}",
                        path.stem.removesuffix("_fuzz")}:
            yield f"{name(path)}: no build has it"


def headers_stay_light() -> Complaints:
    used = set()
    for path in files(".h"):
        text = path.read_text()
        if "<nlohmann/json.hpp>" in text:
            yield f"{name(path)}: json.hpp in a header; <nlohmann/json_fwd.hpp> will do"
        if "<boost/" in text:
            used.add(name(path))
            if name(path) not in BOOST_IN_HEADERS:
                yield f'{name(path)}: Boost in a header; "net/asio.h" will do'
        if '"net/asio.h"' in text and not re.search(r"\b(awaitable<|asio::|error_code\b)", text):
            yield f'{name(path)}: includes "net/asio.h" and uses nothing of it'
    yield from unused(BOOST_IN_HEADERS, used)


def no_await_within_a_choice() -> Complaints:
    """g++ 12 destroys twice what a co_await within `?:` returns; such a program aborts."""
    for path in files(".cc", ".h"):
        text = re.sub(r"//[^\n]*", "", path.read_text())
        for statement in re.finditer(r"[^;{}]*\bco_await\b[^;{}]*", text):
            if re.search(r"\?.*\bco_await\b", statement[0], re.S):
                line = text.count("\n", 0, statement.start(0) + 1) + 1
                yield f"{name(path)}:{line}: co_await within ?: is miscompiled by g++ 12"


def files_are_short() -> Complaints:
    used = set()
    for path in files():
        count = path.read_bytes().count(b"\n")
        if count > LINES_MAX:
            used.add(name(path))
            if name(path) not in LONGER:
                yield f"{name(path)}: {count} lines, {LINES_MAX} at most; which noun hides in it?"
    yield from unused(LONGER, used)


def no_path_of_this_machine() -> Complaints:
    """Neither where the tree happens to lie nor anybody's home directory."""
    places = [r"home/\w", r"root/\w", r"Users/\w"]
    first = ROOT.parts[1]
    if first not in {"home", "root", "Users", "usr", "opt", "srv", "tmp", "var", "run", "mnt", "etc"}:
        places.append(re.escape(first) + r"/\w")
    path_here = re.compile(r"(?<![\w.*})\]/-])/(?:" + "|".join(places) + ")")
    for path in files():
        for number, line in numbered(path):
            if path_here.search(line) or (len(ROOT.parts) > 3 and str(ROOT) in line):
                yield f"{name(path)}:{number}: a path of one machine"


# The pages.


def folders_have_readmes() -> Complaints:
    """Folders at the top, and those of tests that somebody would look into."""
    for folder in sorted({path.relative_to(ROOT).parts[0] for path in files()
                          if path.parent != ROOT} | {"tests/home", "openwrt"}):
        has = (ROOT / folder / "README.md").exists()
        if has and folder in WITHOUT_README:
            yield f"tests/tidy.py: {folder} has a README.md, its exemption can go"
        if not has and folder not in WITHOUT_README:
            yield f"{folder}: has no README.md"


def readmes_name_every_file() -> Complaints:
    """Each noun of a folder (its .h and .cc are one) has a row, and each row a file."""
    for folder in FOLDERS:
        readme = ROOT / folder / "README.md"
        if not readme.exists():
            continue
        nouns = {path.stem for path in files(".h", ".cc") if path.parent == ROOT / folder}
        rows = re.findall(r"^\|([^|]+)\|", readme.read_text(), re.M)
        named = {word for row in rows for word in re.findall(r"`(\w+)(?:\.\w+)?`", row)}
        matched = {noun for noun in nouns for row in rows for star in re.findall(r"`(\w*\*\w*)`", row)
                   if re.fullmatch(star.replace("*", r"\w*"), noun)}
        for noun in sorted(nouns - named - matched):
            yield f"{folder}/README.md: says nothing of {noun}"
        for noun in sorted(named - nouns):
            yield f"{folder}/README.md: there is no {noun}"


def links_lead_somewhere() -> Complaints:
    for path in files(".md"):
        for number, line in numbered(path):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
                if "://" not in target and not (path.parent / target).exists():
                    yield f"{name(path)}:{number}: there is no {target}"


def examples_are_valid(program: Path) -> Complaints:
    """Every JSON block of the documentation that is a whole configuration."""
    if not program.exists():
        yield f"{program.name}: is not built, so no example was checked"
        return
    seen = 0
    example = read("docs/example.json")
    if example not in read("README.md"):
        yield "docs/example.json: README.md shows another one"
    for path in files(".md"):
        for block in re.findall(r"^```json\n(\{.*?)^```", path.read_text(), re.M | re.S):
            seen += 1
            with tempfile.NamedTemporaryFile("w", suffix=".json") as example:
                example.write(block)
                example.flush()
                # Not `check`, which misses the files that an example names on this machine.
                done = subprocess.run([program, "config", "print", "-c", example.name], text=True,
                                      capture_output=True, timeout=60)
            if done.returncode != 0:
                yield f"{name(path)}: its example is refused:\n{done.stderr.rstrip()}"
    if not seen:
        yield "README.md: shows no configuration"


def what_is_installed_is_whole(program: Path) -> Complaints:
    """`cmake --install` of the build that the program lies in."""
    with tempfile.TemporaryDirectory() as prefix:
        done = subprocess.run(["cmake", "--install", program.parent, "--prefix", prefix],
                              text=True, capture_output=True, timeout=60)
        if done.returncode != 0:
            yield f"cmake/install.cmake: {done.stderr.strip()}"
        for file in INSTALLED:
            path = Path(prefix, file)
            if not path.is_file() or not path.stat().st_size:
                yield f"cmake/install.cmake: {file} is not installed, or empty"


# The tree.


def files(*suffixes: str) -> list[Path]:
    """What belongs to the project: no build, nothing hidden but .ci, no corpus of octets."""
    found = []
    for folder, below, inside in os.walk(ROOT):
        here = Path(folder)
        below[:] = [one for one in below if one in (".ci",) or not (
            one.startswith((".", "build")) or one in ("__pycache__", "corpus"))]
        found += [here / one for one in inside
                  if not one.startswith(".") and not (here / one).is_symlink()]
    return sorted(path for path in found if not suffixes or path.suffix in suffixes)


def owner_of(path: Path) -> str | None:
    """The folder by whose rules a file lives: its own, or the one that it tests."""
    parts = path.relative_to(ROOT).parts
    for candidate in (parts[0], *parts[2:3]):
        if candidate in FOLDERS:
            return candidate
    return None


def may_include(folder: str) -> list[str]:
    layer = next(index for index, layer in enumerate(LAYERS) if folder in layer)
    return [folder, *(below for lower in LAYERS[:layer] for below in lower)]


def unused(exempt: dict[str, str], used: set[str]) -> Complaints:
    for each in sorted(set(exempt) - used):
        yield f"tests/tidy.py: {each} needs no exemption"


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    return enumerate(path.read_text(errors="replace").splitlines(), 1)


def read(file: str) -> str:
    return (ROOT / file).read_text()


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
