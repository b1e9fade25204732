"""Somebody tries porchlight out, without root."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab import Home
from lab.host import addresses
from lab.isp import ADN
from lab.program import Program, eventually
from lab.router import BINARY, LAN4

SOMEBODY = 65534  # nobody


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def folder_of_somebody(home: Home, name: str) -> Path:
    folder = home.folder / name
    folder.mkdir()
    os.chown(folder, SOMEBODY, SOMEBODY)
    return folder


def modest(home: Home, folder: Path, **changes: Any) -> Path:
    """A configuration that needs no privilege: high ports, files of one's own, no announcing."""
    chain, key = home.internet.leaf(ADN, file=folder.name)
    os.chown(key, SOMEBODY, SOMEBODY)
    config = home.router.config(
        resolver={"adn": ADN, "dot": {"port": 8853}},
        announce={"dhcpv4": "off", "dhcpv6": "off", "ra": "off"},
        certificate={"files": {"chain": str(chain), "key": str(key)}},
        state_directory=str(folder / "state"), runtime_directory=str(folder / "run"),
        **changes)
    del config["users"], config["dnsmasq"]
    file = folder / "porchlight.json"
    file.write_text(json.dumps(config))
    return file


AS_SOMEBODY = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups",
               "--inh-caps=-all", "--no-new-privs"]


def test_a_plain_user_runs_it_on_high_ports(home: Home) -> None:
    folder = folder_of_somebody(home, "plain-user")
    file = modest(home, folder)
    daemon = home.router.ns.start("plain-user", *AS_SOMEBODY, str(BINARY), "run", "-c", str(file))
    host = home.host()
    host.join()
    try:
        eventually(f"DoT on a high port (see {daemon.log})",
                   lambda: host.kdig("www.example.org", LAN4, ADN, port=8853).trusted)
        assert addresses(host.ask("www.example.org", LAN4, ADN, port=8853)) == ["198.51.100.81"]
        shown = home.router.ns.run(*AS_SOMEBODY, str(BINARY), "status", "-c", str(file), "--json")
        status = json.loads(shown.stdout)
        assert status["cannot"] and all(isinstance(each, str) for each in status["cannot"])
        assert not any(status["announced"][c] for c in ("dhcpv4", "dhcpv6", "ra"))
    finally:
        assert daemon.stop() == 0


def test_it_lives_in_a_user_namespace_of_a_plain_user(home: Home) -> None:
    # Root of its own little world: it may open port 853 there, and can be nobody but itself.
    folder = folder_of_somebody(home, "user-namespace")
    file = modest(home, folder)
    config = json.loads(file.read_text()) | {"resolver": {"adn": ADN}, "users": {}}
    file.write_text(json.dumps(config))
    world = (f"ip link set lo up && ip link add br-lan type bridge && ip link set br-lan up"
             f" && ip addr add {LAN4}/24 dev br-lan && exec {BINARY} run -c {file}")
    daemon = Program("user-namespace", [*AS_SOMEBODY, "unshare", "-Urn", "sh", "-c", world],
                     folder / "log")
    inside = ["nsenter", "-t", str(daemon.pid), "-n"]
    try:
        def said() -> str:
            return home.router.ns.run(
                *inside, "kdig", "-d", f"@{LAN4}", f"+tls-ca={home.trust}",
                f"+tls-hostname={ADN}", "+timeout=3", "+retry=0", "localhost.lan",
                check=False).stdout
        text = eventually(f"it answers (see {daemon.log})",
                          lambda: text if "is trusted" in (text := said()) else "")
        assert "status: " in text, text
    finally:
        assert daemon.stop() == 0
