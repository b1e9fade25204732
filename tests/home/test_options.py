"""`porchlight options` against programs that nobody here wrote: what dnsmasq sent, what clients got
of it, what tshark and dnspython make of the same octets."""

from __future__ import annotations

import json
import os
import re
import resource
import struct
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from lab import Home, decode
from lab.isp import ADN
from lab.program import eventually
from lab.router import BINARY, LAN4, LAN6, ROOT

CARRIERS = ("dhcpv4", "dhcpv6", "ra", "svcb")
ADDRESS_OCTETS = 128 << 20  # of memory, for whoever feeds us rubbish


def options(verb: str, carrier: str, *words: str, stdin: str | bytes | None = None
            ) -> subprocess.CompletedProcess[str]:
    """In no home: these commands need nothing of it."""
    typed = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([BINARY, "options", verb, "--carrier", carrier, *words], input=typed,
                          capture_output=True, timeout=60, cwd="/")
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(),
                                       done.stderr.decode())


def decoded(carrier: str, *words: str) -> list[dict[str, Any]]:
    done = options("decode", carrier, *words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def encoded(carrier: str, resolvers: list[dict[str, Any]], *words: str) -> list[bytes]:
    done = options("encode", carrier, *words, "-", stdin=json.dumps(resolvers))
    assert done.returncode == 0, done.stderr
    return [bytes.fromhex(line) for line in done.stdout.splitlines()]


def told(entry: dict[str, Any]) -> decode.Resolver:
    """An object of `options decode` as the lab's own decoder has it."""
    assert entry["usable"] and entry["adn"].endswith(".")
    return decode.Resolver(entry["priority"], entry["adn"].rstrip("."), tuple(entry["addresses"]),
                           tuple(entry["alpn"]), entry.get("port"), entry.get("dohpath"))


@pytest.fixture
def own_home() -> Iterator[Home]:
    with Home() as home:
        yield home


def test_what_was_on_the_wire_is_the_plan(own_home: Home) -> None:
    router = own_home.router
    named = [{"adn": "one.example", "addresses": ["198.51.100.1", "2001:db8::1"], "dot": {},
              "doh": [{"port": 8443, "path": "/q{?dns}"}]},
             {"adn": "two.example", "addresses": ["198.51.100.2", "2001:db8::2"], "doq": {}}]
    points = {"dhcpv4": 231, "dhcpv6_adn": 65101, "dhcpv6_addresses": 65102,
              "dhcpv6_templates": 65103, "ra_adn": 254, "ra_addresses": 253}
    router.configure(router.config(mode="static", announce={
        "resolvers": named, "formats": ["rfc9463", "draft-btw-11"], "code_points": points}))
    router.start_porchlight()
    status = router.until_announced()
    host = own_home.host()
    host.join()
    plan4, plan6 = (decode.planned(status, "br-lan", version) for version in (4, 6))
    said = host.ask_udhcpc(also=(231,))
    answer = host.dhcpv6_options(144, 65101, 65102, 65103)
    heard = next(heard for heard in host.advertisements(12)
                 if len(heard.encrypted_dns()) == len(plan6))
    by4 = decoded("dhcpv4", said["opt162"])
    assert [told(each) for each in by4] == plan4[:len(by4)] and by4
    by6 = decoded("dhcpv6", *(option.hex() for option in answer[144]))
    assert [told(each) for each in by6] == plan6[:1]
    of_ra = [option.octets for option in heard.encrypted_dns()]
    by_ra = decoded("ra", *(octets.hex() for octets in of_ra))
    assert sorted((told(each) for each in by_ra), key=lambda one: one.priority) == plan6
    assert {each["lifetime"] for each in by_ra} == {1800}

    # The same in the draft's form, at the numbers that this configuration has.
    draft = ("--format", "draft-btw-11", "-c", str(router.config_file))
    whole6 = b"".join(struct.pack("!HH", code, len(option)) + option
                      for code in (65101, 65102, 65103) for option in answer[code])
    whole_ra = b"".join(option for kind, option in heard.options if kind in (253, 254))
    for carrier, octets, family in (("dhcpv4", bytes.fromhex(said["opt231"]), 4),
                                    ("dhcpv6", whole6, 6), ("ra", whole_ra, 6)):
        first = decoded(carrier, *draft, octets.hex())[0]
        assert first["adn"] == "one.example." and first["alpn"][0] == "dot", carrier
        assert first["addresses"] == ["198.51.100.1" if family == 4 else "2001:db8::1"]
        assert b"".join(encoded(carrier, decoded(carrier, *draft, octets.hex()), *draft)) == octets
    # The control: at the usual numbers these are none of the draft's options, or the other one.
    for carrier, octets in (("dhcpv6", whole6), ("ra", whole_ra)):
        done = options("decode", carrier, "--format", "draft-btw-11", octets.hex())
        assert done.returncode == 1, carrier
        assert ("is none of the draft's" in done.stderr) == (carrier == "dhcpv6"), done.stderr

    # What was heard encodes to what was heard.
    for carrier, octets in (("dhcpv4", [bytes.fromhex(said["opt162"])]), ("dhcpv6", answer[144]),
                            ("ra", of_ra)):
        assert encoded(carrier, decoded(carrier, *(one.hex() for one in octets))) == octets


def test_the_drafts_options_go_under_an_enterprises_number(own_home: Home) -> None:
    """32473 is the number for documentation (RFC 5612)."""
    router = own_home.router
    child, other = own_home.host("child"), own_home.host("other")
    family = {"adn": "family.example", "addresses": ["2001:db8::7"], "dot": {}}
    named = [{"adn": "one.example", "addresses": ["2001:db8::1"], "doh": [{"path": "/q{?dns}"}]}]
    # A vendor option of the user's own stays beside ours.
    with (router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write("dhcp-option=vi-encap:9,option6:1,ab:cd\n")
    router.restart_dnsmasq()
    announce = {"resolvers": named, "formats": ["draft-btw-11"], "dhcpv4": "off", "ra": "off",
                "code_points": {"enterprise": 32473},
                "groups": [{"tag": "kids", "hosts": child.mac(), "resolvers": [family]}]}
    router.configure(router.config(mode="static", announce=announce))
    router.start_porchlight()
    router.until("dnsmasq tells", lambda status: status["announced"]["dhcpv6"])
    eventually("dnsmasq has begun again", lambda: len(other.dhcpv6_options(17)[17]) == 2)
    form = ("--format", "draft-btw-11", "-c", str(router.config_file))
    for host, adn, address in ((child, "family.example.", "2001:db8::7"),
                               (other, "one.example.", "2001:db8::1")):
        options17 = host.dhcpv6_options(17)[17]
        users, = [each for each in options17 if each[:4] == bytes((0, 0, 0, 9))]
        assert users.endswith(b"\xab\xcd")
        ours, = [each for each in options17 if each is not users]
        assert ours[:4] == (32473).to_bytes(4, "big")
        entry, = decoded("dhcpv6", *form, (struct.pack("!HH", 17, len(ours)) + ours).hex())
        assert (entry["adn"], entry["addresses"]) == (adn, [address])
        assert entry.get("dohpath") == ("/q{?dns}" if host is other else None)
        assert host.dhcpv6_options(65001, 65002) == {65001: [], 65002: []}
    assert router.stop_porchlight() == 0
    eventually("the user's own is left", lambda: [
        each[:4] for each in other.dhcpv6_options(17)[17]] == [bytes((0, 0, 0, 9))])


def test_what_was_encoded_arrives_octet_for_octet(own_home: Home) -> None:
    """As lines of a user's own dnsmasq, without any daemon of ours."""
    router, host = own_home.router, own_home.host()
    entry = {"priority": 7, "adn": ADN, "alpn": ["dot", "h2"], "port": 8853,
             "dohpath": "/dns-query{?dns}", "params": {"key667": "00ff"}}
    v4 = encoded("dhcpv4", [entry | {"addresses": [LAN4, "192.0.2.53"]},
                            {"priority": 8, "adn": "alone.example.net"}])
    v6 = encoded("dhcpv6", [entry | {"addresses": [LAN6, "2001:db8::53"]}])
    assert len(v4) == len(v6) == 1
    with (router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write(f"dhcp-option=162,{v4[0].hex(':')}\n"
                   f"dhcp-option=option6:144,{v6[0].hex(':')}\n")
    router.restart_dnsmasq()
    with own_home.capture_lan("udp port 67 or udp port 68 or udp port 547 or udp port 546") as lan:
        assert bytes.fromhex(host.ask_udhcpc()["opt162"]) == v4[0]
        assert host.dhcpv6_options(144)[144] == v6
    # tshark cuts messages into options by itself. What is in ours, 4.0 does not know.
    rows = lan.fields("dhcp.option.type == 162 and dhcp.option.dhcp == 5",
                      "dhcp.option.type", "dhcp.option.value")
    assert rows and all("162" in types.split(",") and v4[0].hex() in values.split(",")
                        for types, values in rows)
    rows = lan.fields("dhcpv6.msgtype == 7", "dhcpv6.option.type", "dhcpv6.option.length")
    assert rows
    for types, lengths in rows:
        assert ("144", str(len(v6[0]))) in list(zip(types.split(","), lengths.split(",")))
    # The control: a line the less, and both are gone.
    conf = router.folder / "dnsmasq.conf"
    conf.write_text("".join(line for line in conf.read_text().splitlines(keepends=True)
                            if "162," not in line and "option6:144" not in line))
    router.restart_dnsmasq()
    assert "opt162" not in host.ask_udhcpc() and host.dhcpv6_options(144)[144] == []


# SVCB, in both directions: presentation form to octets by dnspython, octets to JSON by us.
PRESENTATIONS = [
    '1 dns.example. alpn="dot"',
    '1 dns.example. alpn="dot,doq,h2,h3" port=8853 key7=/dns-query{?dns}',  # dohpath, which dnspython can't name
    '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',     # RFC 9460 Appendix D.2: "f\oo,bar"
    '16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2',
    '1 dns.example. alpn="\\\\,"',                            # a comma and nothing else
    '1 dns.example. alpn="a\\\\,b\\\\,c,d"',
    '1 dns.example. alpn="h2" no-default-alpn key7="/q{?dns,x}"',
    '1 dns.example. mandatory=alpn,port alpn=dot port=0',
    '1 . port=53',
    '0 alias.example.',
    '1 dns.example. ipv4hint=192.0.2.53,192.0.2.54 ipv6hint=2001:db8::53',
    '1 dns.example. ech="AAT+DQAA"',
    '1 dns.example. key667=hello',
    '1 dns.example. key667="hello\\210qoo"',                  # RFC 9460 Figure 6
    '1 dns.example. key65534=""',
    '65535 _dns.resolver.arpa. alpn=dot',
]


def rdata_of(text: str) -> bytes:
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.SVCB, text).to_wire()


def record_of(octets: bytes) -> dns.rdata.Rdata:
    return dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.SVCB, octets, 0, len(octets))


@pytest.mark.parametrize("text", PRESENTATIONS)
def test_an_svcb_record_is_what_dnspython_says(text: str) -> None:
    octets = rdata_of(text)
    entry, = decoded("svcb", octets.hex())
    record = record_of(octets)
    assert (entry["priority"], entry["adn"]) == (record.priority, record.target.to_text())
    by_key = {int(key): value for key, value in record.params.items()}
    ids = [re.sub(rb"\\(\d{3})", lambda found: bytes([int(found[1])]), one.encode())
           for one in entry.get("alpn", [])]
    assert ids == (list(by_key[1].ids) if 1 in by_key else [])
    assert entry.get("port") == (by_key[3].port if 3 in by_key else None)
    assert entry.get("no-default-alpn", False) == (2 in by_key)
    path = entry.get("dohpath")
    assert (path and path.encode()) == (by_key[7].value if 7 in by_key else None)
    assert encoded("svcb", [entry]) == [octets]


@pytest.mark.parametrize("entry, text", [
    ({"alpn": ["dot"], "port": 8853}, 'alpn="dot" port="8853"'),
    ({"alpn": ["a,b", "c\\092d", "\\000", "\\255 "], "no-default-alpn": True},
     'alpn="a\\\\,b,c\\\\\\\\d,\\000,\\255 " no-default-alpn'),
    ({"dohpath": "/a=b,c|{?dns}", "mandatory": ["dohpath"]},
     'mandatory="key7" key7="/a=b,c|{?dns}"'),
    ({"params": {"ipv4hint": "c0000235c0000236", "ech": "0004fe0d0000", "key667": ""}},
     'ipv4hint="192.0.2.53,192.0.2.54" ech="AAT+DQAA" key667=""'),
], ids=["port", "escapes", "path", "params"])
def test_what_is_encoded_dnspython_reads(entry: dict[str, Any], text: str) -> None:
    octets, = encoded("svcb", [{"priority": 3, "adn": "dns.example."} | entry])
    assert octets == rdata_of(f"3 dns.example. {text}")
    assert record_of(octets).to_wire() == octets


def test_tshark_dissects_an_svcb_answer(tmp_path: Path) -> None:
    """Its SVCB is older than RFC 9461: a path is the value of key 7 to it."""
    rdata, = encoded("svcb", [{"priority": 3, "adn": "dns.example.", "alpn": ["dot", "h2"],
                               "port": 8853, "dohpath": "/q{?dns}"}])
    name = dns.name.from_text("_dns.resolver.arpa").to_wire()
    message = (struct.pack("!6H", 1, 0x8180, 1, 1, 0, 0) + name + struct.pack("!2H", 64, 1)
               + b"\xc0\x0c" + struct.pack("!2HIH", 64, 1, 60, len(rdata)) + rdata)
    dump = tmp_path / "dump"
    dump.write_text(f"000000 {message.hex(' ')}\n")
    pcap = tmp_path / "answer.pcap"
    subprocess.run(["text2pcap", "-q", "-u", "53,5353", dump, pcap], check=True, timeout=30,
                   capture_output=True)
    fields = ("dns.svcb.svcpriority", "dns.svcb.targetname", "dns.svcb.svcparam.alpn",
              "dns.svcb.svcparam.port", "dns.svcb.svcparam.key")
    said = subprocess.run(["tshark", "-n", "-r", pcap, "-T", "fields",
                           *(word for field in fields for word in ("-e", field))],
                          check=True, timeout=60, capture_output=True, text=True).stdout
    assert said.rstrip("\n").split("\t") == ["3", "dns.example", "dot,h2", "8853", "1,3,7"]


MALFORMED = {
    "dhcpv4": ["", "00", "0004000101", "0003000100", "0006000101610001", "000600010361 6200",
               "00050001020161", "000c0001 02016100 00 00010003 02"],
    "dhcpv6": ["", "0001", "00010002c00c", "0001000100", "000100030161000000",
               "0001000301610000047f000001", "00010003016100001000000000000000000000000000000001",
               "000100030161000010ff020000000000000000000000000001"],
    "ra": ["", "90", "9000", "900100010000", "91020001000000000003016100000000",
           "90020001000000000003016100000001", "9002000100000000000301610000000000"],
    "svcb": ["", "00", "0001", "0001c00c", "000100000100", "000100 00030002 2221 00010003 02",
             "00010000030001 22", "000100 00000000", "000100 ffff0000"],
}


@pytest.mark.parametrize("carrier, octets",
                         [(carrier, octets) for carrier in CARRIERS for octets in MALFORMED[carrier]])
def test_a_malformed_option_is_one_line_on_stderr(carrier: str, octets: str) -> None:
    for words, stdin in (((octets,), None), (("-",), octets + "\n")):
        done = options("decode", carrier, *words, stdin=stdin)
        assert done.returncode == 1
        assert done.stdout == ""
        assert re.fullmatch(r"porchlight: options: [ -~]+\n", done.stderr), done.stderr


def test_what_is_no_input_at_all_is_refused_alike() -> None:
    for carrier in CARRIERS:
        for words in (("0",), ("xy",), ("0x00",), ("00 0",), ("--format", "draft-btw-11", "zz")):
            done = options("decode", carrier, *words)
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), words
        for text in ("", "{", "[1]", '"', "[[]]", "[" * 100_000, "null", '[{"adn": "\x00"}]'):
            done = options("encode", carrier, "-", stdin=text or " ")
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), text[:20]
    for wrong in ((), ("--carrier", "slaac", "00"), ("--carrier", "ra", "--format", "x", "00"),
                  ("--carrier", "ra"), ("--carrier", "ra", "-c", "/nowhere", "00")):
        done = subprocess.run([BINARY, "options", "decode", *wrong], capture_output=True, text=True,
                              timeout=30)
        assert (done.returncode, done.stdout) == (2, ""), wrong


def test_standard_input_has_an_option_a_line() -> None:
    one, two = encoded("dhcpv6", [{"priority": number, "adn": f"dns{number}.example."}
                                  for number in (1, 2)])
    done = options("decode", "dhcpv6", "-", stdin=f"{one.hex()}\n\n  {two.hex(':')}\r\n")
    assert [each["priority"] for each in json.loads(done.stdout)] == [1, 2]
    # Of DHCPv4's they are pieces of one option, cut anywhere.
    whole, = encoded("dhcpv4", [{"priority": 1, "adn": "dns.example."}])
    done = options("decode", "dhcpv4", "-", stdin=f"{whole[:3].hex()}\n{whole[3:].hex()}\n")
    assert json.loads(done.stdout)[0]["adn"] == "dns.example."
    # A pipe is enough: the output of one is the input of the other.
    again = options("encode", "dhcpv4", "-", stdin=done.stdout)
    assert again.stdout.strip() == whole.hex()


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("form", ["rfc9463", "draft-btw-11"])
def test_much_input_takes_neither_much_time_nor_memory(carrier: str, form: str) -> None:
    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        if "asan" not in os.environ.get("PORCHLIGHT", ""):
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_OCTETS * 4, ADDRESS_OCTETS * 4))

    heaps = {"zeros": "00" * 50_000, "ones": "ff" * 50_000, "names": "fde90004" "01016100" * 6000,
             "both": "fde90004" "01016100" "fdea0014" "02000000" + "20010db8" * 4,
             "nothing": "\n" * 100_000, "digits": "0" * 99_999}
    heaps["both"] *= 1500
    for name, heap in heaps.items():
        start = time.monotonic()
        done = subprocess.run([BINARY, "options", "decode", "--carrier", carrier, "--format", form,
                               "-"], input=heap.encode(), capture_output=True, timeout=60,
                              preexec_fn=bounded)
        assert done.returncode in (0, 1), name
        assert done.returncode == 0 or (done.stdout == b"" and done.stderr.count(b"\n") == 1), name
        assert time.monotonic() - start < 20, name
    for verb in ("decode", "encode"):
        done = options(verb, carrier, "--format", form, "-", stdin=b"0" * ((1 << 20) + 2))
        assert (done.returncode, done.stdout, done.stderr) == (
            1, "", "porchlight: options: more than 1 MiB of input\n")


def test_the_examples_of_the_documentation_are_real() -> None:
    shown = 0
    for page in ("options.md", "discovery.md"):
        text = (ROOT / "docs" / page).read_text()
        for block in re.findall(r"```console\n(\$ porchlight options .*?)```", text, re.DOTALL):
            command, _, output = block.partition("\n")
            done = subprocess.run(["sh", "-c", command.removeprefix("$ porchlight").join(
                [f"'{BINARY}'", ""])], capture_output=True, text=True, timeout=30)
            assert done.stdout + done.stderr == output, command
            shown += 1
    assert shown >= 7
