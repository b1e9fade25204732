"""What `./run` shows: one home, told as it happens, in words for a visitor.

Everything said is seen: the host's words come from its own DHCP clients, its own RA listener and
kdig; what left the house comes from a capture on the WAN.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/home"))

from lab import Home, decode, sweep  # noqa: E402
from lab.host import Host, addresses  # noqa: E402
from lab.isp import ADN, RESOLVER4, RESOLVER_ADN  # noqa: E402
from lab.router import BINARY, LAN4, LAN6, WAN4, WAN6  # noqa: E402

BEGIN, END = "<!-- the story: written by ./run --record -->", "<!-- the story ends -->"


class Story:
    """Lines said to the visitor, kept for the record."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str = "") -> None:
        self.lines.append(text)
        print(text, flush=True)

    def fact(self, name: str, text: str) -> None:
        self.say(f"  {name:<24} {text}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="run")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--lan")
    parser.add_argument("--wan")
    parser.add_argument("--config", type=Path)
    chosen = parser.parse_args()
    if (chosen.lan is None) != (chosen.wan is None):
        parser.error("--lan and --wan go together")
    if chosen.config and not chosen.lan:
        parser.error("--config goes with --lan and --wan")
    if chosen.lan:
        return on_real_interfaces(chosen.lan, chosen.wan, chosen.config)

    # A shell that starts us in the background has Ctrl-C ignored; whoever sends it means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sweep()
    story = Story()
    with Home() as home:
        tell(story, home)
        if chosen.record:
            record(story)
        elif not chosen.once:
            leave_up(home)
    print("The home is gone: its namespaces, programs and files.")
    return 0


def tell(story: Story, home: Home) -> None:
    say, fact = story.say, story.fact
    say("A home stands, in network namespaces; this machine's own network is untouched.")
    fact("ISP", f"resolver {RESOLVER_ADN} ({RESOLVER4}, DNS over TLS), the authority")
    fact("", "of example.net, which takes signed updates, and a certificate authority")
    fact("router", f"dnsmasq; LAN {LAN4}/24 and {LAN6}/64")
    fact("host", "nothing but a cable, so far")

    with home.capture_wan() as wan:
        say()
        say(f"porchlight starts on the router. It knows its name, {ADN}, and nothing else.")
        home.router.start_porchlight()
        status = home.router.until_announced()
        certificate = status["certificate"]
        fact("certificate by ACME", ", ".join(certificate["subject_alt_names"]))
        fact("good until", str(certificate["not_after"]))
        fact("porchlight status", home.router.command("status").stdout.splitlines()[0])

        say()
        say("A host joins. This is what the network tells it:")
        host = home.host()
        host.join()
        told = listen(host)
        for carrier, resolver in told.items():
            fact(carrier, str(resolver))
        compare(told, status)
        say("All three say what porchlight planned.")

        say()
        say(f"The host connects to {LAN4}, port 853, and asks for proof of the name.")
        seen = host.kdig("www.example.org", LAN4, ADN)
        with host.dot_connection(LAN4, ADN) as connection:
            shown = connection.getpeercert() or {}
        fact("certificate for", ", ".join(name for _, name in shown["subjectAltName"]))
        fact("signed by", ", ".join(value for part in shown["issuer"] for _, value in part))
        fact("kdig's verdict", "trusted" if seen.trusted else f"not trusted\n{seen.said}")
        imposter = host.kdig("www.example.org", LAN4, "imposter.example.net")
        fact("under another name", "trusted" if imposter.trusted else "refused, as it should be")

        say()
        say("It asks for names, over TLS:")
        asked = ["www.example.org", "www.example.net", "mail.example.net"]
        for name in asked:
            fact(name, ", ".join(addresses(host.ask(name, LAN4, ADN))))
        fact("router.lan", ", ".join(addresses(host.ask("router.lan", LAN6, ADN)))
             + "   (the home's own name, by IPv6)")
        say("An old host knows only port 53, and asks dnsmasq:")
        fact("diary.example.org", ", ".join(addresses(host.ask_clear("diary.example.org", LAN4))))
        asked.append("diary.example.org")

    say()
    say("What left the house meanwhile, as a listener on the line sees it:")
    leaked = [name for name in asked if wan.holds(name)]
    fact("names that hosts asked",
         "IN CLEAR: " + ", ".join(leaked) if leaked else "not one in clear")
    for name, how in sorted({(seen.name, seen.how) for seen in wan.clear_names()}):
        fact("porchlight's, in clear", f"{name} ({CLEAR.get((name, how), 'UNEXPECTED')})")
    ours = f"(ip.src == {WAN4} or ipv6.src == {WAN6}) and (tcp or udp)"
    for protocol, port in sorted({(protocol, port) for protocol, _, port in wan.destinations(ours)
                                  if port < 32768}):
        fact("went to", f"{protocol} port {port}: {PORTS.get((protocol, port), 'UNEXPECTED')}")
    with home.capture_wan() as leak:
        host.ask_clear("www.example.org", RESOLVER4)
    fact("the same look at a leak", "finds www.example.org in clear"
         if leak.holds("www.example.org") else "FINDS NOTHING: do not trust this check")
    if leaked or not leak.holds("www.example.org") or not seen.trusted or imposter.trusted:
        raise SystemExit("run: the home does not do what it should; see above")


# What may be seen, and why. Which of an address pair is taken differs from one run to the next.
CLEAR = {("ca.isp.test", "sni"): "whom a TLS client greets: the CA",
         ("dns.isp.test", "sni"): "whom a TLS client greets: the ISP's resolver",
         ("example.net", "dns"): "the zone of the signed update",
         (f"_acme-challenge.{ADN}", "dns"): "the record of the signed update"}
PORTS = {("tcp", 853): "DNS over TLS, to the ISP's resolver",
         ("tcp", 53): "the signed update that proves the name to the CA",
         ("udp", 53): "the signed update that proves the name to the CA",
         ("tcp", 14000): "the CA, by ACME"}


def listen(host: Host) -> dict[str, decode.Resolver]:
    """What a host is told by each carrier, each asked by a program of its own."""
    told = {"by DHCPv4, option 162": host.dhcpv4(),
            "by DHCPv6, option 144": host.dhcpv6_by_dhclient(),
            "by RA, ND option 144": [option.resolver for option in host.ra()]}
    for carrier, resolvers in told.items():
        if not resolvers:
            raise SystemExit(f"run: nothing was told {carrier}")
    return {carrier: resolvers[0] for carrier, resolvers in told.items()}


def compare(told: dict[str, decode.Resolver], status: dict) -> None:
    for carrier, resolver in told.items():
        version = 4 if "DHCPv4" in carrier else 6
        plan = decode.planned(status, "br-lan", version)
        if plan[:1] != [resolver]:
            raise SystemExit(f"run: told {carrier}: {resolver}; the plan says {plan}")


def leave_up(home: Home) -> None:
    router, host = home.router, home.hosts[0]
    name = f"ip netns exec {host.ns.name}"
    print(f"""
The home stays up until Ctrl-C. To play with it, from another terminal, as root:

  a shell on the host       {name} bash
  ask a name over TLS       {name} kdig -d @{LAN4} +tls-ca={home.trust} \\
                              +tls-hostname={ADN} www.example.org
  ask as an old host does   {name} kdig @{LAN4} www.example.org
  the router's state        ip netns exec {router.ns.name} {BINARY} status -c {router.config_file}
  its log                   tail -f {router.porchlight.log if router.porchlight else ''}
  watch the WAN             ip netns exec {router.ns.name} tcpdump -ni eth0
""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("\nTaking the home down …", flush=True)


def record(story: Story) -> None:
    readme = ROOT / "README.md"
    text = readme.read_text()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"run: {readme} has no place for the story ({BEGIN} … {END})")
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    told = "\n".join(line.rstrip() for line in story.lines)
    readme.write_text(f"{before}{BEGIN}\n```text\n{told}\n```\n{END}{after}")


def on_real_interfaces(lan: str, wan: str, config: Path | None) -> int:
    """porchlight in the foreground; afterwards nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="porchlight-run-"))
    folder.chmod(0o755)
    try:
        if config is None:
            config = folder / "porchlight.json"
            config.write_text(json.dumps({
                "mode": "off", "lan": [{"interface": lan}], "wan": [{"interface": wan}],
                "upstream": [{"protocol": "dot", "adn": "dns.quad9.net",
                              "addresses": ["9.9.9.9", "2620:fe::fe"], "profile": "strict"}],
                "users": {"agent": "61853", "forwarder": "61854"},
                "dnsmasq": {"fragment": str(folder / "dnsmasq.conf")},
                "state_directory": str(folder / "state"),
                "runtime_directory": str(folder / "run")}, indent=2) + "\n")
            print(f"""No --config: porchlight runs with {config}:
{config.read_text()}
It forwards 127.0.0.1 port 5453 to that resolver over TLS. Hosts are told nothing, because it has
no name and no certificate: put "resolver" and "certificate" into a file, and give it by --config.
""", flush=True)
        else:
            told = json.loads(config.read_text())
            for key, interface in (("lan", lan), ("wan", wan)):
                named = [each.get("interface") for each in told.get(key, [])]
                if named != [interface]:
                    raise SystemExit(f"run: {config} names {named} as {key}, not {interface}")
        return in_the_foreground(config)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_the_foreground(config: Path) -> int:
    if subprocess.run([BINARY, "check", "-c", config]).returncode != 0:
        return 2
    # A session of its own: Ctrl-C reaches us alone, and porchlight is asked once, by SIGTERM.
    daemon = subprocess.Popen([BINARY, "run", "-c", config], start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return daemon.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        if daemon.poll() is None:
            daemon.terminate()
            daemon.wait(15)
        subprocess.run([BINARY, "withdraw", "--purge", "-c", config], timeout=15)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nThe home is gone: its namespaces, programs and files.")
        sys.exit(130)
