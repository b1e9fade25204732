"""Each process holds what its work needs, and nothing else: looked at in /proc, not in our logs."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from lab import Home
from lab.isp import ADN
from lab.program import eventually
from lab.router import AGENT_UID, FORWARDER_UID, LAN4

NOBODYS = {"agent": AGENT_UID, "forwarder": FORWARDER_UID}


def processes(home: Home) -> dict[str, int]:
    """Our processes by role; the keeper is the one that was started."""
    keeper = home.router.porchlight.pid
    found = {"keeper": keeper}
    for pid in home.router.ns.pids():
        with contextlib.suppress(OSError):  # it may have ended since
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            if name.startswith("pl-"):
                found[name.removeprefix("pl-")] = pid
    return found


def said_by_the_kernel(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def test_agent_and_forwarder_are_nobody_without_any_capability(home: Home) -> None:
    pids = processes(home)
    for role, uid in NOBODYS.items():
        status = said_by_the_kernel(pids[role])
        assert status["Uid"].split() == [uid] * 4, role
        assert status["Gid"].split() == [uid] * 4, role
        assert status["Groups"] == "", role
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[capabilities], 16) == 0, (role, capabilities)
        assert status["NoNewPrivs"] == "1", role
    # The control: the same look at the keeper finds what it keeps.
    keeper = said_by_the_kernel(pids["keeper"])
    assert keeper["Uid"].split()[0] == "0" and int(keeper["CapEff"], 16) != 0


def test_the_forwarder_lives_in_an_empty_root_behind_a_filter(home: Home) -> None:
    pids = processes(home)
    root = Path(f"/proc/{pids['forwarder']}/root")
    assert os.listdir(root) == []
    assert os.readlink(root) != "/"
    assert os.readlink(f"/proc/{pids['agent']}/root") == "/", "the control: others see the world"
    for thread in Path(f"/proc/{pids['forwarder']}/task").iterdir():
        status = said_by_the_kernel(int(thread.name))
        assert status["Seccomp"] == "2", "each thread under a filter"
    assert said_by_the_kernel(pids["keeper"])["Seccomp"] == "0", "the control"


def test_the_forwarder_has_no_file_of_the_router_open(home: Home) -> None:
    def files(pid: int) -> list[str]:
        opened = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        return [path for path in opened if path.startswith("/") and path != "/dev/null"
                and path != str(home.router.porchlight.log)]

    pids = processes(home)
    assert files(pids["forwarder"]) == []
    assert files(pids["keeper"]), "the control: the keeper holds its lock"


def test_the_keeper_reads_no_network(home: Home) -> None:
    """Its sockets are handed over, and its own copies closed."""
    listening = home.router.ns.run("ss", "-Hlntup").stdout
    ours = processes(home)
    assert f"pid={ours['forwarder']}," in listening, "the control: the forwarder's are listed"
    assert f"pid={ours['keeper']}," not in listening
    assert f"pid={ours['agent']}," not in listening


def test_what_it_still_does_with_so_little(home: Home) -> None:
    host = home.host()
    host.join()
    assert eventually("it answers", lambda: host.kdig("www.example.org", LAN4, ADN).trusted)


@pytest.mark.parametrize("role", ["agent", "forwarder"])
def test_a_child_that_died_is_born_with_as_little(home: Home, role: str) -> None:
    before = processes(home)[role]
    os.kill(before, 9)
    after = eventually("there is another", lambda: (pid := processes(home).get(role))
                       and pid != before and pid)
    status = eventually("it has confined itself", lambda: (found := said_by_the_kernel(after))
                        ["NoNewPrivs"] == "1" and found)
    assert status["Uid"].split() == [NOBODYS[role]] * 4
    assert int(status["CapEff"], 16) == 0
    if role == "forwarder":
        eventually("the filter stands", lambda: said_by_the_kernel(after)["Seccomp"] == "2")


def test_who_speaks_with_the_ca_is_a_third_nobody_and_gone_afterwards(home: Home) -> None:
    def confined() -> dict[str, str] | None:
        with contextlib.suppress(OSError):  # one that ended before it was looked at has a successor
            if pid := processes(home).get("provision"):
                found = said_by_the_kernel(pid)
                return found if found["NoNewPrivs"] == "1" else None
        home.router.command("certificate", "renew", check=False)
        return None

    status = eventually("an order is under way, confined", confined, every_s=0.002)
    assert status["Uid"].split()[0] not in {"0", AGENT_UID, FORWARDER_UID}
    assert int(status["CapEff"], 16) == 0
    eventually("it is gone", lambda: "provision" not in processes(home))
