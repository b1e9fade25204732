"""The ISP: the WAN link, a resolver that speaks DoT, authoritative zones, an ACME CA.

| who | where | program |
| --- | --- | --- |
| authority for every zone, takes dynamic updates | 192.0.2.1:53, 2001:db8:0:1::1 | knotd |
| resolver `dns.isp.test`, DoT on 853 and Do53 on 53 | 192.0.2.53, 2001:db8:0:1::53 | unbound |
| ACME CA `ca.isp.test`, directory on 14000 | 192.0.2.80, 2001:db8:0:1::80 | pebble |
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import urllib.request
from pathlib import Path

from .authority import Authority
from .namespace import Namespace
from .program import Program, eventually, unconfined

ADN = "cpe1.example.net"
RESOLVER_ADN = "dns.isp.test"
RESOLVER4, RESOLVER6 = "192.0.2.53", "2001:db8:0:1::53"
AUTHORITY4, AUTHORITY6 = "192.0.2.1", "2001:db8:0:1::1"
CA4, CA6 = "192.0.2.80", "2001:db8:0:1::80"
DIRECTORY = "https://ca.isp.test:14000/dir"

_SOA = "@ 3600 SOA ns1.{apex} hostmaster.{apex} 1 3600 600 86400 60\n@ 3600 NS ns1.{apex}\n"
# Names under `short` live for two seconds, so that a test can watch an answer grow stale;
# `*.load` gives as many different names as a flood wants.
ZONES = {
    "example.net.": _SOA + """ns1 3600 A 192.0.2.1
www 3600 A 198.51.100.80
www 3600 AAAA 2001:db8:80::80
mail 3600 A 198.51.100.25
short 2 A 198.51.100.2
inward 3600 A 10.0.0.1
*.load 3600 A 198.51.100.99
""",
    "example.org.": _SOA + """ns1 3600 A 192.0.2.1
www 3600 A 198.51.100.81
www 3600 AAAA 2001:db8:80::81
diary 3600 A 198.51.100.82
*.load 3600 A 198.51.100.98
inward 3600 A 192.168.77.1
inward 3600 AAAA fd77:77:77::1
inward 3600 HTTPS 1 . alpn=h2 ipv4hint=192.168.77.1
hint6 3600 HTTPS 1 . alpn=h2 ipv4hint=198.51.100.81 ipv6hint=fd77:77:77::1
outward 3600 HTTPS 1 . alpn=h2 ipv4hint=198.51.100.81 ipv6hint=2001:db8:80::81
mixed 3600 A 198.51.100.81
mixed 3600 A 127.0.0.1
alias 3600 CNAME inward.example.net.
nat64 3600 AAAA 64:ff9b::192.168.77.1
nat64 3600 A 198.51.100.83
translated 3600 AAAA 64:ff9b::198.51.100.81
beyond 3600 A 11.0.0.1
""",
    "isp.test.": _SOA + f"""ns1 3600 A {AUTHORITY4}
dns 3600 A {RESOLVER4}
dns 3600 AAAA {RESOLVER6}
ca 60 A {CA4}
ca 60 AAAA {CA6}
ocsp 60 A {CA4}
""",
    ".": "@ 3600 SOA ns1.isp.test. hostmaster.isp.test. 1 3600 600 86400 60\n"
         "@ 3600 NS ns1.isp.test.\n",
}


class Isp:
    def __init__(self, namespace: Namespace, internet: Authority,
                 certificate_life_s: int = 86400) -> None:
        self.ns = namespace
        self.internet = internet
        self.certificate_life_s = certificate_life_s
        self.tsig_secret = base64.b64encode(os.urandom(32)).decode()
        self.knot: Program
        self.unbound: Program
        self.pebble: Program
        self._folder = namespace.folder

    def connect(self) -> None:
        """Gives the WAN link `wan0` its addresses and knows the way to the home."""
        addresses = (AUTHORITY4, RESOLVER4, CA4)
        addresses6 = (AUTHORITY6, RESOLVER6, CA6)
        self.ns.ip("link set lo up", "link set wan0 up",
                   *(f"addr add {address}/24 dev wan0" for address in addresses),
                   *(f"addr add {address}/64 dev wan0 nodad" for address in addresses6),
                   "route add 192.168.77.0/24 via 192.0.2.2",
                   "route add fd77:77:77::/64 via 2001:db8:0:1::2")

    def start(self) -> None:
        """Starts all three at once; `wait` says when they answer."""
        self.start_knot()
        self.start_unbound()
        self.start_pebble()

    def wait(self) -> None:
        for name, program, address, port in (("knot", self.knot, AUTHORITY4, 53),
                                             ("unbound", self.unbound, RESOLVER4, 853),
                                             ("pebble", self.pebble, CA4, 14000)):
            eventually(f"{name} listens (see {program.log})",
                       lambda a=address, p=port: self.ns.accepts(a, p), every_s=0.02)

    # The authority.

    def start_knot(self) -> None:
        folder = self._folder / "knot"
        folder.mkdir(exist_ok=True)
        for apex, records in ZONES.items():
            (folder / f"{apex}zone").write_text(records.format(apex=apex))
        zones = "".join(
            f'  - domain: "{apex}"\n    file: "{apex}zone"\n    storage: "{folder}"\n'
            "    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\n"
            + ("    acl: cpe1\n" if apex == "example.net." else "") for apex in ZONES)
        (folder / "knot.conf").write_text(f"""server:
    rundir: "{folder}"
    listen: [ "{AUTHORITY4}@53", "{AUTHORITY6}@53" ]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    identity: "ns1"
database:
    storage: "{folder}"
    journal-db-max-size: 16M
    kasp-db-max-size: 16M
    timer-db-max-size: 16M
log:
  - target: stdout
    any: info
key:
  - id: "cpe1"
    algorithm: hmac-sha256
    secret: "{self.tsig_secret}"
acl:
  - id: cpe1
    key: "cpe1"
    action: update
    update-owner: name
    update-owner-match: equal
    update-owner-name: [ "_acme-challenge.cpe1" ]
    update-type: [ TXT ]
zone:
{zones}""")
        self.knot = self.ns.start("knot", "knotd", "-c", str(folder / "knot.conf"))

    # The resolver.

    def designate(self, address: str, certified: bool) -> None:
        """From now on the resolver answers at `address` too and designates itself there for DoT
        (RFC 9462 section 4); its certificate holds that address or does not."""
        self.unbound.stop()
        if address != RESOLVER4:
            self.ns.ip(f"addr add {address}/32 dev lo")
        self.start_unbound(
            f'  local-zone: "resolver.arpa." static\n'
            f'  local-data: "_dns.resolver.arpa. 60 IN SVCB 1 {RESOLVER_ADN}. alpn=dot '
            f'ipv4hint={address}"\n' + ("" if address == RESOLVER4 else
                                        f"  interface: {address}\n  interface: {address}@853\n"),
            *([address] if certified else []))
        eventually("unbound listens", lambda: self.ns.accepts(address, 853), every_s=0.02)

    def start_unbound(self, settings: str = "", *certified: str) -> None:
        folder = self._folder / "unbound"
        folder.mkdir(exist_ok=True)
        chain, key = self.internet.leaf(RESOLVER_ADN, *certified)
        stubs = "".join(f'stub-zone:\n  name: "{apex}"\n  stub-addr: {AUTHORITY4}\n'
                        "  stub-no-cache: yes\n" for apex in ZONES)
        (folder / "unbound.conf").write_text(f"""server:
  interface: {RESOLVER4}
  interface: {RESOLVER6}
  interface: {RESOLVER4}@853
  interface: {RESOLVER6}@853
  tls-service-pem: "{chain}"
  tls-service-key: "{key}"
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  module-config: "iterator"
  local-zone: "test." nodefault
  local-zone: "168.192.in-addr.arpa." nodefault
  do-daemonize: no
  num-threads: 1
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  log-queries: yes
  verbosity: 1
{settings}remote-control:
  control-enable: no
{stubs}""")
        self.unbound = self.ns.start("unbound", unconfined("unbound", self._folder / "bin"),
                                     "-d", "-c", str(folder / "unbound.conf"))

    # The CA.

    def start_pebble(self) -> None:
        folder = self._folder / "pebble"
        folder.mkdir(exist_ok=True)
        chain, key = self.internet.leaf("ca.isp.test")
        (folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": "[::]:14000", "managementListenAddress": f"{CA4}:15000",
            "certificate": str(chain), "privateKey": str(key),
            "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": self.certificate_life_s}}))
        # Some nonces are refused, as pebble does by default: a client has to cope.
        self.pebble = self.ns.start(
            "pebble", "pebble", "-config", str(folder / "pebble.json"),
            "-dnsserver", f"{RESOLVER4}:53", env={"PEBBLE_VA_NOSLEEP": "1"})

    def issuing_root(self) -> str:
        """The PEM of the root that pebble signs with; it makes a new one at each start."""
        trust = ssl.create_default_context(cafile=str(self.internet.root))
        trust.check_hostname = False  # asked by address; the chain is verified

        def read() -> str:
            with contextlib.suppress(OSError), self.ns.entered(), urllib.request.urlopen(
                    f"https://{CA4}:15000/roots/0", context=trust, timeout=5) as answer:
                return answer.read().decode()
            return ""

        return eventually("pebble tells its root", read)

    def update(self, *lines: str, secret: str | None = None) -> str:
        """Sends a dynamic update as `cpe1` by knsupdate; raises when it is refused."""
        script = "\n".join([f"server {AUTHORITY4}", f"key hmac-sha256:cpe1:{secret or self.tsig_secret}",
                            "zone example.net.", *lines, "send", ""])
        return self.ns.run("knsupdate", stdin=script).stdout

    def tsig_file(self, where: Path) -> Path:
        where.write_text(self.tsig_secret + "\n")
        where.chmod(0o600)
        return where
