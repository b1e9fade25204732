"""A host sends what kills the forwarder: it harms itself, and not the home."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from lab import Home
from lab.host import Host
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4

DEATH = Path(__file__).parent / "lab/death.c"


def test_a_host_that_kills_the_forwarder_twice_is_kept_out() -> None:
    with Home() as home:
        fault = home.router.folder / "death.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(fault), str(DEATH)], check=True)
        home.router.start_porchlight(env={"LD_PRELOAD": str(fault)})
        home.router.until_announced()
        killer, other = home.host(), home.host()
        for host in killer, other:
            host.join()
            assert host.kdig("www.example.org", LAN4, ADN).status == "NOERROR"

        for deaths in (1, 2):
            assert kept_out(home.router.status()) == []
            killer.kdig("packet-of-death.example.org", LAN4, ADN)
            home.router.until("the forwarder is started again", lambda status, deaths=deaths:
                              status["processes"]["forwarder_starts"] == 1 + deaths)
            eventually("the other host is served again",
                       lambda: other.kdig("www.example.org", LAN4, ADN).status == "NOERROR")

        home.router.until("who did it is kept out",
                          lambda status: kept_out(status) == ["192.168.77.0/24"])
        shown = home.router.command("status").stdout
        assert "kept out" in shown and address_of(killer) not in shown
        assert address_of(killer) not in home.router.porchlight.said()
        assert killer.kdig("www.example.org", LAN4, ADN).status == ""
        assert other.kdig("www.example.org", LAN4, ADN).status == "NOERROR"
        # The old way stays open to it: the companion asks for the whole home.
        assert killer.ask_clear("www.example.org", LAN4).answer


def kept_out(status: dict[str, Any]) -> list[str]:
    return [line.split()[3] for line in status["warnings"] if "kept out" in line]


def address_of(host: Host) -> str:
    shown = host.ns.run("ip", "-4", "-o", "addr", "show", "dev", "eth0").stdout
    return shown.split()[3].split("/")[0]
