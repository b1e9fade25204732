"""Stands in for OpenWrt's `uci`, written from its documented syntax; Debian has none.

What is known of the real one and kept here: `batch` reads commands from standard input, complains
of those that fail and succeeds all the same; a change is staged beside the configuration until
`commit`; `add_list` adds a value that is there already once more; `del_list` removes every equal
value and takes it well when there is none; a section must be there before it has a list; `show`
quotes values as a shell does; `-t` names the folder where changes are staged, and those staged in
another are then neither seen nor committed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

Section = dict[str, object]

FULL = ".full"  # a file of this name beside the configuration: flash takes nothing more


class Refused(Exception):
    pass


def parse(text: str) -> dict[str, Section]:
    """The sections of a file as in /etc/config: `config TYPE NAME`, `option`, `list`."""
    sections: dict[str, Section] = {}
    current: Section = {}
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "config":
            current = sections.setdefault(words[2], {".type": words[1]})
        elif words[0] == "list":
            values = current.setdefault(words[1], [])
            assert isinstance(values, list)
            values.append(words[2])
        else:
            current[words[1]] = words[2]
    return sections


def quoted(value: object) -> str:
    return "'" + str(value).replace("'", "'\\''") + "'"


def export(sections: dict[str, Section]) -> str:
    text = ""
    for name, section in sections.items():
        text += f"\nconfig {section['.type']} {quoted(name)}\n"
        for option, value in section.items():
            if isinstance(value, list):
                text += "".join(f"\tlist {option} {quoted(each)}\n" for each in value)
            elif option != ".type":
                text += f"\toption {option} {quoted(value)}\n"
    return text


class Uci:
    def __init__(self, folder: Path, staging: Path) -> None:
        self.folder = folder
        self.staging = staging

    def load(self, package: str, staged: bool = True) -> dict[str, Section]:
        file = self.folder / package
        if not file.exists():
            raise Refused("Entry not found")
        sections = parse(file.read_text())
        for line in self.changes(package) if staged else []:
            apply(sections, *json.loads(line))
        return sections

    def changes(self, package: str) -> list[str]:
        file = self.staging / package
        return file.read_text().splitlines() if file.exists() else []

    def run(self, argv: list[str]) -> None:
        command, rest = argv[0], argv[1:]
        if command == "commit" and len(rest) == 1:
            # Nothing is written where nothing was staged.
            if self.changes(rest[0]):
                if (self.folder / FULL).exists():
                    raise Refused("I/O error")
                (self.folder / rest[0]).write_text(export(self.load(rest[0])))
                (self.staging / rest[0]).unlink()
        elif command in ("add_list", "del_list", "set") and len(rest) == 1 and "=" in rest[0]:
            place, value = rest[0].split("=", 1)
            package, section, option = place.split(".")
            change = [command, section, option, value]
            apply(self.load(package), *change)
            self.staging.mkdir(exist_ok=True)
            with (self.staging / package).open("a") as staged:
                staged.write(json.dumps(change) + "\n")
        elif command == "get" and len(rest) == 1:
            package, section, *option = rest[0].split(".")
            found = self.load(package).get(section, {}).get(option[0] if option else ".type")
            if found is None:
                raise Refused("Entry not found")
            print(shlex.join(found) if isinstance(found, list) else found)
        elif command == "show" and len(rest) == 1:
            for name, section in self.load(rest[0]).items():
                print(f"{rest[0]}.{name}={section['.type']}")
                for option, value in section.items():
                    if option != ".type":
                        values = value if isinstance(value, list) else [value]
                        print(f"{rest[0]}.{name}.{option}=" + " ".join(map(quoted, values)))
        else:
            raise Refused("Invalid argument")


def apply(sections: dict[str, Section], command: str, section: str, option: str,
          value: str) -> None:
    if section not in sections:
        raise Refused("Entry not found")
    if command == "set":
        sections[section][option] = value
        return
    values = sections[section].get(option, [])
    assert isinstance(values, list)
    kept = values + [value] if command == "add_list" else [v for v in values if v != value]
    sections[section].pop(option, None)
    if kept:
        sections[section][option] = kept


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", dest="folder", type=Path, default=Path("/etc/config"))
    parser.add_argument("-t", dest="staging", type=Path)
    parser.add_argument("-q", dest="quiet", action="store_true")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    uci = Uci(arguments.folder, arguments.staging or arguments.folder / ".uci")

    def attempt(argv: list[str]) -> int:
        try:
            uci.run(argv)
            return 0
        except Refused as refused:
            if not arguments.quiet:
                print(f"uci: {refused}", file=sys.stderr)
            return 1

    if arguments.command != ["batch"]:
        return attempt(arguments.command)
    for line in sys.stdin:
        if argv := shlex.split(line):
            attempt(argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
