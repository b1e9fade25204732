"""Chromium, headless, as a host's user has it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from .host import Host

_POLICIES = Path("/etc/chromium/policies/managed")


class Browser:
    """Believes in the roots of its host; `secure_dns` is the one resolver that it may ask, by
    template and address, or None for the host's own."""

    def __init__(self, host: Host, secure_dns: tuple[str, str] | None) -> None:
        self._host = host
        self._home = host.ns.folder / "browser"
        shutil.rmtree(self._home, ignore_errors=True)
        self._policies = self._home / "policies"
        self._policies.mkdir(parents=True)
        (self._policies / "home.json").write_text(json.dumps(_policy(secure_dns)))
        database = self._home / ".pki/nssdb"
        database.mkdir(parents=True)
        roots = re.findall(r"-----BEGIN.*?-----END [^\n]*\n", host.trust.read_text(), re.DOTALL)
        for number, root in enumerate(roots):
            subprocess.run(["certutil", "-d", f"sql:{database}", "-A", "-t", "C,,", "-n",
                            f"root {number}"], input=root, text=True, check=True, timeout=60,
                           capture_output=True)

    def page(self, url: str) -> str:
        """The document, once it is loaded and its scripts ran."""
        _POLICIES.mkdir(parents=True, exist_ok=True)
        browse = ("mount --bind \"$POLICIES\" \"$MANAGED\" && exec timeout -k 5 90 chromium "
                  "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage "
                  "--no-first-run --disable-background-networking --disable-component-update "
                  "--user-data-dir=\"$HOME/profile\" --timeout=20000 --dump-dom \"$0\"")
        # `ip netns exec` gives it mounts of its own.
        done = self._host.ns.run("sh", "-c", browse, url, check=False, within_s=120, env={
            "HOME": str(self._home), "POLICIES": str(self._policies), "MANAGED": str(_POLICIES),
            "DBUS_SESSION_BUS_ADDRESS": "disabled:", "PATH": os.environ["PATH"]})
        return done.stdout


def _policy(secure_dns: tuple[str, str] | None) -> dict[str, object]:
    policy: dict[str, object] = {"BuiltInDnsClientEnabled": True}
    if secure_dns is None:
        return policy | {"DnsOverHttpsMode": "off"}
    template, address = secure_dns
    servers = {"servers": [{"template": template, "endpoints": [{"ips": [address]}]}]}
    return policy | {"DnsOverHttpsMode": "secure", "DnsOverHttpsTemplates": json.dumps(servers)}
