"""The router: a LAN bridge, dnsmasq as Debian ships it, and porchlight.

`dnsmasq.d/porchlight.conf` is the file that porchlight writes; the rest is a plain home router
that knows nothing of porchlight and is complete without it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from .isp import ADN, AUTHORITY4, DIRECTORY, RESOLVER4, RESOLVER6, RESOLVER_ADN, Isp
from .namespace import Namespace
from .program import Program, eventually

LAN4, LAN6 = "192.168.77.1", "fd77:77:77::1"
GUEST4, GUEST6 = "192.168.78.1", "fd77:77:78::1"
WAN4, WAN6 = "192.0.2.2", "2001:db8:0:1::2"
ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("PORCHLIGHT", ROOT / "build/release/porchlight")).resolve()
# Numbers instead of names: the home adds no user to the machine. Nobody else has them.
AGENT_UID, FORWARDER_UID = "61853", "61854"


class Router:
    def __init__(self, namespace: Namespace, isp: Isp) -> None:
        self.ns = namespace
        self.isp = isp
        self.folder = namespace.folder
        self.config_file = self.folder / "porchlight.json"
        self.fragment = self.folder / "dnsmasq.d/porchlight.conf"
        self.leases = self.folder / "dnsmasq.leases"
        self.resolv_file = self.folder / "resolv.conf"
        self.state = self.folder / "state"
        self.runtime = self.folder / "run"
        self.porchlight: Program | None = None
        self._pid_file = self.folder / "dnsmasq.pid"
        self._restart = self.folder / "restart-dnsmasq"

    def connect(self) -> None:
        for family in ("ipv4/conf/all/forwarding", "ipv6/conf/all/forwarding"):
            self.ns.set(f"net/{family}", 1)
        self.ns.ip(
            "link set lo up", "link set eth0 up",
            f"addr add {WAN4}/24 dev eth0", f"addr add {WAN6}/64 dev eth0 nodad",
            f"route add default via {AUTHORITY4}", "route add ::/0 via 2001:db8:0:1::1",
            "link add br-lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            # The switch that a router's bridge always has behind it: br-lan is up without hosts.
            "link add lan0 type veth peer name lan0-switch",
            "link set lan0 master br-lan", "link set lan0 up", "link set lan0-switch up",
            "link set br-lan up",
            f"addr add {LAN4}/24 dev br-lan", f"addr add {LAN6}/64 dev br-lan nodad")
        self.resolv_file.write_text(f"nameserver {RESOLVER4}\n")
        self.ns.resolv_conf.write_text("nameserver 127.0.0.1\n")
        self._write_dnsmasq()
        self.config_file.write_text(json.dumps(self.config(), indent=2) + "\n")

    # dnsmasq.

    def _write_dnsmasq(self) -> None:
        self.fragment.parent.mkdir(exist_ok=True)
        (self.folder / "dnsmasq.conf").write_text(f"""conf-dir={self.fragment.parent}/,*.conf
pid-file={self._pid_file}
dhcp-leasefile={self.leases}
log-facility={self.folder}/dnsmasq.log
log-queries
log-dhcp
interface=br-lan
bind-dynamic
no-hosts
resolv-file={self.resolv_file}
domain=lan
local=/lan/
expand-hosts
dhcp-authoritative
no-ping
dhcp-range={LAN4.rsplit('.', 1)[0]}.100,{LAN4.rsplit('.', 1)[0]}.199,1h
dhcp-range=fd77:77:77::100,fd77:77:77::1ff,slaac,64,1h
enable-ra
ra-param=br-lan,10,1800
host-record=router.lan,{LAN4},{LAN6}
""")
        self._restart.write_text(f"""#!/bin/sh
# What a router's init script does: end the old one, start a new one.
if pid=$(cat {self._pid_file} 2>/dev/null); then
    kill "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
fi
exec dnsmasq -C {self.folder}/dnsmasq.conf
""")
        self._restart.chmod(0o755)

    def add_guest_link(self) -> None:
        """A second link, br-guest, which dnsmasq serves too."""
        self.ns.ip("link add br-guest type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                   "link set br-guest up", f"addr add {GUEST4}/24 dev br-guest",
                   f"addr add {GUEST6}/64 dev br-guest nodad")
        with (self.folder / "dnsmasq.conf").open("a") as conf:
            conf.write("interface=br-guest\ndhcp-range=192.168.78.100,192.168.78.199,1h\n"
                       "dhcp-range=fd77:77:78::100,fd77:77:78::1ff,slaac,64,1h\n")
        self.restart_dnsmasq()

    def start_dnsmasq(self) -> None:
        self.ns.run(str(self._restart))

    restart_dnsmasq = start_dnsmasq

    def dnsmasq_pid(self) -> int | None:
        """The pid of the dnsmasq that runs, or None."""
        try:
            pid = int(self._pid_file.read_text())
            os.kill(pid, 0)
            return pid
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None

    def stop_dnsmasq(self) -> None:
        if pid := self.dnsmasq_pid():
            os.kill(pid, signal.SIGTERM)
            eventually("dnsmasq ends", lambda: self.dnsmasq_pid() is None)

    def dnsmasq_said(self) -> str:
        return (self.folder / "dnsmasq.log").read_text(errors="replace")

    # porchlight.

    def config(self, **changes: Any) -> dict[str, Any]:
        """The configuration of this home; `changes` replace whole sections."""
        return {
            "lan": [{"interface": "br-lan"}],
            "wan": [{"interface": "eth0"}],
            "resolver": {"adn": ADN},
            "upstream": [{"protocol": "dot", "adn": RESOLVER_ADN,
                          "addresses": [RESOLVER4, RESOLVER6], "profile": "strict"}],
            "local": {"server": "127.0.0.1:53", "domains": ["lan"]},
            "dnsmasq": {"fragment": str(self.fragment), "pid_file": str(self._pid_file),
                        "lease_file": str(self.leases),
                        "restart": [str(self._restart)], "resolv_file": str(self.resolv_file)},
            "certificate": {"acme": {
                "directory": DIRECTORY, "agree_to_terms": True,
                "challenge": {"dns-01": {"rfc2136": {
                    "server": AUTHORITY4, "port": 53, "zone": "example.net",
                    "tsig": {"name": "cpe1", "algorithm": "hmac-sha256",
                             "secret": {"file": str(self.folder / "tsig.key")}}},
                    "propagation_wait": "100ms"}}}},
            "tls": {"roots": str(self.isp.internet.root)},
            # A host here asks each question over a connection of its own, without a ticket.
            "limits": {"full_handshakes_per_client_burst": 200},
            "users": {"agent": AGENT_UID, "forwarder": FORWARDER_UID},
            "state_directory": str(self.state),
            "runtime_directory": str(self.runtime),
        } | changes

    def configure(self, config: dict[str, Any] | str | None = None, **changes: Any) -> None:
        """Writes the configuration file: a whole one, text, or the home's own with changes."""
        if not isinstance(config, str):
            config = json.dumps((config or self.config()) | changes, indent=2) + "\n"
        self.config_file.write_text(config)

    def start_porchlight(self, *prefix: str, env: dict[str, str] | None = None) -> Program:
        """Starts the daemon and returns at once; `announces` waits for what it does."""
        if not BINARY.exists():
            raise FileNotFoundError(f"{BINARY} is not built: cmake --build --preset release")
        self.porchlight = self.ns.start("porchlight", *prefix, str(BINARY), "run", "-c",
                                        str(self.config_file), env=env)
        return self.porchlight

    def stop_porchlight(self) -> int:
        assert self.porchlight
        return self.porchlight.stop()

    def kill_porchlight(self) -> None:
        """SIGKILL to the daemon alone; what becomes of its children is its own affair."""
        assert self.porchlight
        self.porchlight.process.kill()
        self.porchlight.wait()

    def programs(self) -> list[int]:
        """What still runs of porchlight, whatever its name."""
        found = []
        for pid in self.ns.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)") == str(BINARY):
                    found.append(pid)
        return found

    def kill_all_of_porchlight(self) -> None:
        """SIGKILL to every process, as a service manager or the kernel may do."""
        assert self.porchlight
        # Stopped first: the last will doesn't get to see its keeper die.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in self.programs():
                os.kill(pid, number)
        self.porchlight.wait()
        eventually("no process of porchlight is left", lambda: not self.programs())

    def reload_porchlight(self) -> None:
        assert self.porchlight
        self.porchlight.send(signal.SIGHUP)

    def reload_and_wait(self) -> None:
        reloads = self.porchlight.said().count("reloading")
        self.reload_porchlight()
        eventually("it reloads", lambda: self.porchlight.said().count("reloading") > reloads)

    def ruleset(self) -> str:
        """Everybody's rules in the firewall."""
        return self.ns.run("nft", "list", "ruleset").stdout

    def command(self, *arguments: str, check: bool = True
                ) -> subprocess.CompletedProcess[str]:
        """`porchlight` with the home's configuration."""
        return self.ns.run(str(BINARY), arguments[0], "-c", str(self.config_file), *arguments[1:],
                           check=check)

    def status(self) -> dict[str, Any]:
        return json.loads(self.command("status", "--json").stdout)

    def status_or_none(self) -> dict[str, Any] | None:
        done = self.command("status", "--json", check=False)
        try:
            return json.loads(done.stdout) if done.returncode == 0 else None
        except json.JSONDecodeError:
            return None

    def until(self, what: str, holds: Any, within_s: float = 60) -> dict[str, Any]:
        """The first status of which `holds` is true."""

        def probe() -> dict[str, Any] | None:
            status = self.status_or_none()
            return status if status and holds(status) else None

        try:
            return eventually(what, probe, within_s, every_s=0.1)
        except AssertionError as late:
            said = self.porchlight.said()[-3000:] if self.porchlight else ""
            now = json.dumps(self.status_or_none(), indent=1)
            raise AssertionError(f"{late}\nstatus: {now}\nporchlight said: …{said}") from None

    def until_announced(self, within_s: float = 60) -> dict[str, Any]:
        return self.until("hosts are told of the resolver by every carrier", lambda status: announces(
            status) and self.dnsmasq_was_told(status), within_s)

    def until_withdrawn(self, within_s: float = 60) -> dict[str, Any]:
        return self.until("nothing is announced", lambda status: not any(
            status["announced"][carrier] for carrier in ("dhcpv4", "dhcpv6", "ra"))
            and self.dnsmasq_was_told(status), within_s)

    def until_dnsmasq_tells(self) -> dict[str, Any]:
        """The same where Router Advertisements are nobody's."""
        return self.until("dnsmasq tells", lambda status: status["announced"]["dhcpv4"]
                          and status["announced"]["dhcpv6"] and self.dnsmasq_was_told(status))

    def dnsmasq_was_told(self, status: dict[str, Any]) -> bool:
        """Whether what dnsmasq is to tell by `status` is in its file: the agent says what it wants,
        and the keeper writes it a moment later."""
        wanted = {option.split()[-1] for row in status["announced"]["carriers"]
                  if status["carriers"].get(row["carrier"], {}).get("by") == "dnsmasq"
                  and row["announced"] for option in row.get("options", [])}
        runtime = self.runtime
        with contextlib.suppress(OSError, ValueError, KeyError):  # a story may have spoilt the file
            runtime = Path(json.loads(self.config_file.read_text())["runtime_directory"])
        try:
            lines = (runtime / "dnsmasq/options").read_text().splitlines()
        except FileNotFoundError:
            return not wanted
        told = {line.rsplit(",", 1)[-1].replace(":", "") for line in lines if line[:1] not in ("", "#")}
        return wanted <= told if wanted else not told

    def cut_power(self) -> None:
        """Everything that runs dies at once, and what memory held is gone: /run, the firewall."""
        # Stopped first: nobody gets to see the others die.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in self.ns.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        if self.porchlight:
            self.porchlight.wait()
        eventually("all programs of the router are dead", lambda: not self.ns.pids())
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self.runtime, ignore_errors=True)
        self.ns.run("nft", "flush", "ruleset")

    def forget(self) -> None:
        """A router fresh from its box: no stored certificate, no state."""
        for folder in (self.state, self.runtime):
            shutil.rmtree(folder, ignore_errors=True)


def announces(status: dict[str, Any]) -> bool:
    return all(status["announced"][carrier] for carrier in ("dhcpv4", "dhcpv6", "ra"))
