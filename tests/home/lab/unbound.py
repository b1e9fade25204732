"""A resolver that somebody put into the home: unbound with DoT and DoH, and a certificate as good or
bad as a story wants it."""

from __future__ import annotations

from pathlib import Path

from .namespace import Namespace
from .program import Program, eventually, unconfined


class Unbound:
    """Answers for the root's name servers, from the constructor to `stop`."""

    def __init__(self, where: Namespace, certificate: tuple[Path, Path], *addresses: str) -> None:
        folder = where.folder / "foreign-unbound"
        folder.mkdir(exist_ok=True)
        chain, key = certificate
        interfaces = "".join(f"  interface: {address}@{port}\n" for address in addresses
                             for port in (853, 443))
        (folder / "unbound.conf").write_text(f"""server:
{interfaces}  tls-port: 853
  https-port: 443
  http-endpoint: "/dns-query"
  tls-service-pem: "{chain}"
  tls-service-key: "{key}"
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  module-config: "iterator"
  local-zone: "." static
  local-data: ". 3600 IN NS a.root.test."
  local-data: ". 3600 IN SOA a.root.test. nobody.root.test. 1 3600 600 86400 60"
  do-daemonize: no
  num-threads: 1
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
remote-control:
  control-enable: no
""")
        self._program: Program = where.start(
            "foreign-unbound", unconfined("unbound", where.folder / "bin"), "-d", "-c",
            str(folder / "unbound.conf"))
        eventually(f"unbound listens (see {self._program.log})",
                   lambda: where.accepts(addresses[0], 853), every_s=0.02)

    def stop(self) -> None:
        self._program.stop()

    def __enter__(self) -> "Unbound":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
