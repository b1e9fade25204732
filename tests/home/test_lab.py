"""The home itself, before porchlight has any part in it.

What the other scenarios see is worth as much as the clients and the decoder they see it with:
here both are fed octets written by hand from RFC 9463.
"""

from __future__ import annotations

import pytest

from lab import Home, decode, sweep
from lab.check import check

# cpe1.example.net, alpn=dot; the lengths of RFC 9463 sections 4.1, 5.1 and 6.1 count by hand.
ADN = "04 63706531 07 6578616d706c65 03 6e6574 00"  # 18 octets
DOT = "0001 0004 03 646f74"
BY_V4 = f"0022 0001 12 {ADN} 04 c0a84d01 {DOT}"
BY_V6 = f"0001 0012 {ADN} 0010 fd77007700770000 0000000000000001 {DOT}"
BY_ND = (f"90 07 0001 00000708 0012 {ADN} 0010 fd77007700770000 0000000000000001"
         f" 0008 {DOT}")

RESOLVER4 = decode.Resolver(1, "cpe1.example.net", ("192.168.77.1",), ("dot",))
RESOLVER6 = decode.Resolver(1, "cpe1.example.net", ("fd77:77:77::1",), ("dot",))


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def test_every_part_of_the_home_works(plain_home: Home) -> None:
    check(plain_home)


def test_clients_hand_over_the_options_that_dnsmasq_was_told_to_send(plain_home: Home) -> None:
    router = plain_home.router
    router.fragment.write_text(f"dhcp-option=162,{octets(BY_V4).hex(':')}\n"
                               f"dhcp-option=option6:144,{octets(BY_V6).hex(':')}\n")
    router.restart_dnsmasq()
    host = plain_home.host()
    host.join()
    assert host.dhcpv4() == host.dhcpv4_by_dhclient() == [RESOLVER4]
    assert host.dhcpv6() == host.dhcpv6_by_dhclient() == [RESOLVER6]
    router.fragment.unlink()
    router.restart_dnsmasq()
    assert host.dhcpv4() == host.dhcpv6() == []


def test_the_decoder_reads_what_the_rfc_says() -> None:
    assert decode.dhcpv4(octets(BY_V4)) == [RESOLVER4]
    assert decode.dhcpv4(octets(BY_V4 + BY_V4)) == [RESOLVER4, RESOLVER4]
    assert decode.dhcpv6(octets(BY_V6)) == RESOLVER6
    option = decode.nd_option(octets(BY_ND))
    assert option.resolver == RESOLVER6 and option.lifetime_s == 1800
    only_name = decode.Resolver(1, "cpe1.example.net", (), ())
    assert decode.dhcpv6(octets(f"0001 0012 {ADN}")) == only_name
    with_port = decode.dhcpv6(octets(BY_V6 + "0003 0002 2201"))
    assert with_port.port == 8705


@pytest.mark.parametrize("carrier, whole", [
    (decode.dhcpv4, BY_V4), (decode.dhcpv6, BY_V6), (decode.nd_option, BY_ND)],
    ids=["dhcpv4", "dhcpv6", "ra"])
def test_the_decoder_refuses_every_truncation(carrier, whole: str) -> None:
    full = octets(whole)
    # DHCPv6 has no length of its own: an option may end after the name, or before SvcParams.
    legal = {22, 40} if carrier is decode.dhcpv6 else {0} if carrier is decode.dhcpv4 else set()
    for size in range(len(full)):
        if size in legal:
            carrier(full[:size])
        else:
            with pytest.raises(decode.Malformed):
                carrier(full[:size])


DISCARDED = {
    "no address": f"0001 0012 {ADN} 0000 {DOT}",
    "multicast": f"0001 0012 {ADN} 0010 ff020000000000000000000000000001 {DOT}",
    "loopback": f"0001 0012 {ADN} 0010 {'00' * 15}01 {DOT}",
    "root name": f"0001 0001 00 0010 fd77007700770000 0000000000000001 {DOT}",
    "compressed name": f"0001 0002 c000 0010 fd77007700770000 0000000000000001 {DOT}",
    "keys in disorder": BY_V6 + "0000 0002 0001",
    "a hint": BY_V6 + "0004 0004 c0a84d01",
}


@pytest.mark.parametrize("fault", DISCARDED)
def test_the_decoder_refuses_what_a_host_would_discard(fault: str) -> None:
    with pytest.raises(decode.Malformed):
        decode.dhcpv6(octets(DISCARDED[fault]))


@pytest.mark.parametrize("padding, legal", [
    ("", False), ("0000 0000", True), ("0000 0001", False),
    ("0000 0000 0000 0000 0000 0000", False)], ids=["none", "zero", "not zero", "long"])
def test_the_padding_of_an_nd_option_is_short_and_zero(padding: str, legal: bool) -> None:
    # A name four octets longer leaves four octets to the next multiple of eight.
    unpadded = octets(BY_ND.replace("0012 04 63706531", "0016 08 6370653130303030"))[2:]
    body = unpadded + octets(padding)
    option = bytes([144, (2 + len(body)) // 8]) + body
    if legal:
        assert decode.nd_option(option).resolver.adn == "cpe10000.example.net"
    else:
        with pytest.raises(decode.Malformed):
            decode.nd_option(option)


def test_nothing_of_a_home_outlives_it() -> None:
    home = Home()
    host = home.host()
    assert host.ns.pids() == [] and home.router.ns.pids() and home.isp.ns.pids()
    home.close()
    from lab.home import left_overs
    assert not [name for name in left_overs() if home.id in name]
    assert sweep() == []
