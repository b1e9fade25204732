"""`porchlight discover`, run somewhere, and what it reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .namespace import Namespace
from .router import BINARY


def discover(where: Namespace, *words: str, roots: Path | None = None, interface: str = "eth0",
             seconds: int = 2, status: int = 0) -> dict[str, Any]:
    trust = ["--roots", str(roots)] if roots else []
    for patience in (1, 5):  # the second for a machine that was busy all that time
        done = where.run(str(BINARY), "discover", "-i", interface, "--timeout",
                         str(patience * seconds), "--json", *trust, *words, check=False, within_s=120)
        if done.returncode == status:
            break
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def resolvers(report: dict[str, Any], carrier: str) -> list[dict[str, Any]]:
    """The well-formed ones by one carrier."""
    return [resolver for offer in report["offers"] if offer["carrier"] == carrier
            for resolver in offer["resolvers"]]


def told(report: dict[str, Any], carrier: str) -> list[tuple[str, tuple[str, ...]]]:
    """Names and addresses by one carrier, of what hosts can use."""
    return [(each["adn"].rstrip("."), tuple(each["addresses"]))
            for each in resolvers(report, carrier) if each["usable"]]


def trial(report: dict[str, Any], carrier: str, alpn: str = "dot") -> dict[str, Any]:
    """How the first resolver by that carrier fared by that protocol."""
    return next(each for resolver in resolvers(report, carrier) for each in resolver["trials"]
                if each["alpn"] == alpn)
