"""Kea as the DHCP server of a link: it cuts long options into pieces, which dnsmasq can't."""

from __future__ import annotations

import json

from .namespace import Namespace
from .program import Program, eventually, unconfined
from .router import LAN4, Router


class Kea:
    """One address range and option 162 as given octets; from the constructor to `stop`."""

    def __init__(self, router: Router, option_162: bytes) -> None:
        self._serve(router.ns, "br-lan", LAN4, LAN4, option_162)

    @classmethod
    def of_the_isp(cls, isp: Namespace, gateway: str, resolver: str, option_162: bytes) -> "Kea":
        """The same behind the WAN."""
        made = cls.__new__(cls)
        made._serve(isp, "wan0", gateway, resolver, option_162)
        return made

    def _serve(self, ns: Namespace, link: str, gateway: str, resolver: str,
               option_162: bytes) -> None:
        folder = ns.folder
        network = gateway.rsplit(".", 1)[0]
        config = folder / "kea.json"
        config.write_text(json.dumps({"Dhcp4": {
            "interfaces-config": {"interfaces": [link], "dhcp-socket-type": "raw"},
            "lease-database": {"type": "memfile", "persist": False},
            "multi-threading": {"enable-multi-threading": False},
            "valid-lifetime": 3600,
            "option-def": [{"name": "dnr", "code": 162, "space": "dhcp4", "type": "binary"}],
            "option-data": [
                {"name": "routers", "data": gateway},
                {"name": "domain-name-servers", "data": resolver},
                {"name": "dnr", "csv-format": False, "data": option_162.hex()}],
            "subnet4": [{"id": 1, "subnet": f"{network}.0/24",
                         "pools": [{"pool": f"{network}.100 - {network}.199"}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "INFO",
                         "output_options": [{"output": "stdout"}]}],
        }}, indent=2))
        self._program: Program = ns.start(
            "kea", unconfined("kea-dhcp4", folder / "bin"), "-c", str(config),
            env={"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)})
        eventually(f"Kea serves (see {self._program.log})",
                   lambda: "DHCP4_STARTED" in self._program.said())

    def stop(self) -> None:
        self._program.stop()


class Kea6:
    """Behind the WAN, DHCPv6: addresses of a pool, and each option 144 as given octets."""

    def __init__(self, isp: Namespace, prefix: str, options_144: list[bytes],
                 valid_s: int = 3600) -> None:
        folder = isp.folder
        config = folder / "kea6.json"
        config.write_text(json.dumps({"Dhcp6": {
            "interfaces-config": {"interfaces": ["wan0"]},
            "lease-database": {"type": "memfile", "persist": False},
            "multi-threading": {"enable-multi-threading": False},
            "preferred-lifetime": valid_s // 2, "valid-lifetime": valid_s,
            "server-id": {"type": "LL", "persist": False},
            "option-def": [{"name": "dnr", "code": 144, "space": "dhcp6", "type": "binary"}],
            "option-data": [{"name": "dnr", "csv-format": False, "data": option.hex()}
                            for option in options_144],
            "subnet6": [{"id": 1, "subnet": f"{prefix}/64", "interface": "wan0",
                         "pools": [{"pool": f"{prefix}2000 - {prefix}20ff"}]}],
            "loggers": [{"name": "kea-dhcp6", "severity": "INFO",
                         "output_options": [{"output": "stdout"}]}],
        }}, indent=2))
        self._program: Program = isp.start(
            "kea6", unconfined("kea-dhcp6", folder / "bin"), "-c", str(config),
            env={"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)})
        eventually(f"Kea serves (see {self._program.log})",
                   lambda: "DHCP6_STARTED" in self._program.said())
