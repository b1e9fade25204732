"""Kea as the DHCPv4 server of a link: it cuts long options into pieces, which dnsmasq can't."""

from __future__ import annotations

import json

from .program import Program, eventually, unconfined
from .router import LAN4, Router

_NETWORK = LAN4.rsplit(".", 1)[0]


class Kea:
    """One address range and option 162 as given octets; from the constructor to `stop`."""

    def __init__(self, router: Router, option_162: bytes) -> None:
        folder = router.folder
        config = folder / "kea.json"
        config.write_text(json.dumps({"Dhcp4": {
            "interfaces-config": {"interfaces": ["br-lan"], "dhcp-socket-type": "raw"},
            "lease-database": {"type": "memfile", "persist": False},
            "multi-threading": {"enable-multi-threading": False},
            "valid-lifetime": 3600,
            "option-def": [{"name": "dnr", "code": 162, "space": "dhcp4", "type": "binary"}],
            "option-data": [
                {"name": "routers", "data": LAN4},
                {"name": "domain-name-servers", "data": LAN4},
                {"name": "dnr", "csv-format": False, "data": option_162.hex()}],
            "subnet4": [{"id": 1, "subnet": f"{_NETWORK}.0/24",
                         "pools": [{"pool": f"{_NETWORK}.100 - {_NETWORK}.199"}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "INFO",
                         "output_options": [{"output": "stdout"}]}],
        }}, indent=2))
        self._program: Program = router.ns.start(
            "kea", unconfined("kea-dhcp4", folder / "bin"), "-c", str(config),
            env={"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)})
        eventually(f"Kea serves (see {self._program.log})",
                   lambda: "DHCP4_STARTED" in self._program.said())

    def stop(self) -> None:
        self._program.stop()
