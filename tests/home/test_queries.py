"""What was asked is noted for who runs the home, if he wants it, and nowhere else."""

from __future__ import annotations

import json
import subprocess

from lab import Home
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4

NAME = "www.example.org"


def queries(home: Home, *options: str) -> str:
    return home.router.command("queries", *options).stdout


def noted(home: Home) -> list[dict]:
    return json.loads(queries(home, "--json"))["queries"]


def files_with(home: Home, text: str) -> list[str]:
    """Below everything that the router's porchlight writes, its log included."""
    found = subprocess.run(["grep", "-rlaF", "--", text, str(home.router.folder)],
                           capture_output=True, text=True)
    return found.stdout.split()


def set_level(home: Home, level: str) -> None:
    home.router.configure(query_log={"level": level}, log={"level": "debug"})
    home.router.reload_and_wait()
    eventually("the level counts",
               lambda: json.loads(queries(home, "--json"))["level"] == level)


def test_what_was_asked_is_shown_where_it_is_wanted_and_stands_nowhere_else(home: Home) -> None:
    host = home.host()
    address = host.join()["ip"]
    assert "Nothing is noted" in queries(home)
    host.ask(NAME, LAN4, ADN)
    assert noted(home) == []

    set_level(home, "full")
    host.ask(NAME, LAN4, ADN)
    [one] = [one for one in noted(home) if one["name"] == f"{NAME}."]
    assert (one["type"], one["over"], one["rcode"]) == ("A", "dot", "NOERROR")
    assert len(one["client"]) == 8 and one["network"].endswith(".0/24")
    assert f"{NAME}." in queries(home) and f"{NAME}." in queries(home, "--count", "50")
    # The hosts that ask dnsmasq are nobody in particular.
    host.ask_clear("mixed.example.org", LAN4)
    eventually("dnsmasq's question too", lambda: "mixed.example.org." in queries(home))
    newest = json.loads(queries(home, "--json", "-n", "1"))["queries"]
    assert len(newest) == 1 < len(noted(home))
    assert all("client" not in one for one in noted(home) if one["over"] == "do53")

    shown = [home.router.command(*command).stdout for command in
             (("status",), ("status", "--json"), ("metrics",), ("queries", "--json"))]
    assert [NAME in one for one in shown] == [False, False, False, True]
    assert not any(address in one for one in shown)
    written = [path for path in files_with(home, NAME) if "dnsmasq" not in path]
    assert written == []
    assert files_with(home, "settings applied")  # the control: the log is among them

    set_level(home, "names")
    assert noted(home) == []
    host.ask(NAME, LAN4, ADN)
    [one] = [one for one in noted(home) if one["name"] == f"{NAME}."]
    assert "client" not in one and "network" not in one
    home.router.configure()
    home.router.reload_and_wait()
    eventually("it is forgotten", lambda: "Nothing is noted" in queries(home))
