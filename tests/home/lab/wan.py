"""The WAN's DHCP: the ISP's dnsmasq, and the router's client with the hooks that are installed."""

from __future__ import annotations

from pathlib import Path

from .isp import Isp
from .program import Program, eventually
from .router import BINARY, ROOT, Router

HOOKS = ROOT / "hooks"


class IspDhcp:
    """dnsmasq behind a WAN link, by default `wan0`; it offers option 162 as given octets."""

    def __init__(self, isp: Isp, option_162: bytes, link: str = "wan0",
                 network: str = "192.0.2") -> None:
        self._isp, self._link, self._network = isp, link, network
        self._program: Program | None = None
        self.offer(option_162)

    def offer(self, option_162: bytes) -> None:
        """From now on; clients hear of it when they ask again."""
        if self._program:
            self._program.stop()
        folder: Path = self._isp.ns.folder
        options = f"dhcp-option-force=162,{option_162.hex(':')}\n" if option_162 else ""
        conf = folder / f"dhcp-{self._link}.conf"
        conf.write_text(f"""port=0
interface={self._link}
bind-interfaces
dhcp-authoritative
no-ping
log-dhcp
pid-file={folder}/dhcp-{self._link}.pid
dhcp-leasefile={folder}/dhcp-{self._link}.leases
dhcp-range={self._network}.100,{self._network}.199,2m
dhcp-option=6,{self._network}.53
{options}""")
        self._program = self._isp.ns.start(f"dhcp-{self._link}", "dnsmasq", "-k", "-C", str(conf),
                                           "--log-facility=-")
        eventually("the ISP's DHCP server", lambda: "DHCP, IP range" in self._program.said())

    def stop(self) -> None:
        assert self._program
        self._program.stop()


def hook(router: Router, name: str) -> Path:
    """The installed hook with, in place of `porchlight`, this home's and its configuration."""
    script = router.folder / f"hook-{name}"
    program = f'"{BINARY}" wan -c "{router.config_file}"'
    text = (HOOKS / name).read_text()
    assert "porchlight wan" in text
    script.write_text(text.replace("porchlight wan", program))
    script.chmod(0o755)
    return script


class Udhcpc:
    """The router's DHCPv4 client: SIGUSR1 renews, SIGUSR2 gives the lease up."""

    def __init__(self, router: Router, link: str = "eth0") -> None:
        self._program = router.ns.start(
            f"udhcpc-{link}", "udhcpc", "-i", link, "-f", "-t", "5", "-T", "1", "-A", "1",
            "-O", "162", "-s", str(hook(router, "udhcpc.user")))

    def send(self, number: int) -> None:
        self._program.send(number)

    def stop(self) -> None:
        self._program.stop()
