"""What becomes of an upstream's answer: how long it is kept, and whether a host hears it at all."""

from __future__ import annotations

import threading

import dns.message
import dns.rrset

from test_upstream import (NETWORK_ERROR, SERVFAIL, STALE, ca, certificate,  # noqa: F401 (fixtures)
                           driver, serve)
from upstreams import answer_to, eventually, framed

BLOCKED = 15

# What is kept.

def test_an_answer_that_may_not_be_kept_ends_what_was_true_before(driver, ca, serve):
    def ttl_by_turn(server, connection):
        while query := server.read(connection):
            ttl = 1 if len(server.queries) <= 2 else 0
            connection.sendall(framed(answer_to(query, f"192.0.2.{len(server.queries)}",
                                                ttl=ttl).to_wire()))

    server = serve(ttl_by_turn)
    driver.use(ca.roots, server)
    assert [driver.one(name).rcode for name in ("a.example", "b.example")] == [0, 0]
    driver.say("advance 10")
    assert driver.one("a.example").address == "192.0.2.3"
    server.stop()
    eventually("it is gone", lambda: driver.one("c.example").rcode == SERVFAIL)
    assert driver.one("a.example").rcode == SERVFAIL
    kept = driver.one("b.example")
    assert (kept.rcode, kept.ede, kept.address) == (0, STALE, "192.0.2.2")


def test_what_former_settings_led_to_is_not_kept(driver, ca, serve):
    asked, go_on = threading.Event(), threading.Event()

    def waits(server, connection):
        while query := server.read(connection):
            if query.question[0].name.to_text() == "late.example.":
                asked.set()
                go_on.wait(30)
            connection.sendall(framed(answer_to(query).to_wire()))

    server = serve(waits)
    driver.use(ca.roots, server)
    assert driver.one("early.example").rcode == 0
    driver.say("ask late.example A", "sleep 1")
    driver.until_done()
    assert asked.wait(30)
    driver.say("local other", "apply")
    assert driver.line() == "applied"
    go_on.set()
    driver.say("wait")
    [late] = driver.until_done()
    assert "rcode=0" in late  # who asked then is answered
    server.stop()
    eventually("it is gone", lambda: driver.one("c.example").rcode == SERVFAIL)
    assert driver.one("late.example").rcode == SERVFAIL
    assert driver.one("early.example").rcode == 0


def test_what_is_soon_over_is_asked_anew_and_nobody_waits(driver, ca, serve):
    def numbered(server, connection):
        while query := server.read(connection):
            connection.sendall(framed(answer_to(query, f"192.0.2.{len(server.queries)}").to_wire()))

    server = serve(numbered)
    driver.use(ca.roots, server, local="lan")
    assert driver.one("a.example").address == "192.0.2.1"
    driver.say("refresh a.example A", "refresh a.example A", "refresh nas.lan A")
    eventually("it is asked anew", lambda: driver.sleep(0.1) or len(server.queries) == 2)
    assert driver.one("b.example").address == "192.0.2.3"  # and nothing else was
    server.stop()
    eventually("it is gone", lambda: driver.one("c.example").rcode == SERVFAIL)
    assert driver.one("a.example").address == "192.0.2.2"


# That a name does not exist, RFC 8020.

NXDOMAIN, STALE_NXDOMAIN, SYNTHESIZED = 3, 19, 29


def exists_not(server, connection):
    """Nothing at or below gone.example; alias.example leads there."""
    while query := server.read(connection):
        name = query.question[0].name.to_text()
        response = dns.message.make_response(query)
        if name == "alias.example.":
            response.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", "gone.example."))
        if f".{name}".endswith(".gone.example.") or name == "alias.example.":
            response.set_rcode(NXDOMAIN)
            response.authority.append(dns.rrset.from_text(
                "example.", 900, "IN", "SOA", "ns.example. host.example. 1 3600 1200 604800 60"))
        else:
            response = answer_to(query)
        connection.sendall(framed(response.to_wire()))


def test_nxdomain_says_nothing_of_names_beneath_unless_it_is_to(driver, ca, serve):
    server = serve(exists_not)
    driver.use(ca.roots, server)
    for turn, name in enumerate(("gone.example", "a.gone.example", "gone.example AAAA"), 1):
        assert (driver.one(name).rcode, len(server.queries)) == (NXDOMAIN, turn)


def test_nxdomain_may_cover_everything_beneath(driver, ca, serve):
    server = serve(exists_not)
    driver.use(ca.roots, server, nxdomain_cut="on")
    assert (driver.one("gone.example").rcode, len(server.queries)) == (NXDOMAIN, 1)
    for name in ("gone.example AAAA", "a.gone.example", "B.a.Gone.example TXT"):
        told = driver.one(name)
        assert (told.rcode, told.ede, told.records) == (NXDOMAIN, SYNTHESIZED, 1), name
    assert len(server.queries) == 1
    # Beside it, above it, and where only the end of an alias is not there, is another matter.
    for asked, (name, rcode) in enumerate((("notgone.example", 0), ("www.example", 0),
                                           ("alias.example", NXDOMAIN), ("a.alias.example", 0)), 2):
        assert (driver.one(name).rcode, len(server.queries)) == (rcode, asked), name
    driver.say("advance 61")  # MINIMUM
    assert driver.one("c.gone.example").ede is None
    assert len(server.queries) == 6


def test_a_name_that_comes_to_be_ends_what_was_said_above_it(driver, ca, serve):
    there = threading.Event()

    def comes_to_be(server, connection):
        while query := server.read(connection):
            response = dns.message.make_response(query)
            response.set_rcode(NXDOMAIN)
            response.authority.append(dns.rrset.from_text(
                "example.", 900, "IN", "SOA", "ns.example. host.example. 1 3600 1200 604800 600"))
            connection.sendall(framed((answer_to(query) if there.is_set() else response).to_wire()))

    server = serve(comes_to_be)
    driver.use(ca.roots, server, nxdomain_cut="on")
    assert driver.one("late.example").rcode == NXDOMAIN
    assert driver.one("a.late.example").ede == SYNTHESIZED
    there.set()
    driver.say("refresh www.late.example A", "sleep 1")  # as of an answer that was there before
    driver.until_done()
    eventually("it was asked", lambda: driver.sleep(0.1) or len(server.queries) == 2)
    eventually("it counts", lambda: driver.one("a.late.example").rcode == 0)


# What is no answer for a home.

def test_an_address_of_the_home_is_not_heard_from_outside(driver, ca, serve):
    def lies(server, connection):
        while query := server.read(connection):
            name = query.question[0].name.to_text()
            address = "192.0.2.7" if name == "true.example." else "192.168.1.1"
            connection.sendall(framed(answer_to(query, address).to_wire()))

    driver.use(ca.roots, serve(lies))
    lie = driver.one("lie.example")
    assert (lie.rcode, lie.ede, lie.records) == (0, BLOCKED, 1)  # the SOA
    truth = driver.one("true.example")
    assert (truth.rcode, truth.ede, truth.address) == (0, None, "192.0.2.7")


def test_an_address_of_the_home_that_is_told_along_is_cut(driver, ca, serve):
    def tells_along(server, connection):
        while query := server.read(connection):
            name = query.question[0].name.to_text()
            response = answer_to(query)
            response.additional.append(dns.rrset.from_text(
                "mail.example.", 300, "IN", "A",
                "192.168.1.1" if name == "lie.example." else "192.0.2.9"))
            connection.sendall(framed(response.to_wire()))

    driver.use(ca.roots, serve(tells_along))
    lie = driver.one("lie.example")
    assert (lie.rcode, lie.ede, lie.records, lie.address) == (0, None, 1, "192.0.2.7")
    truth = driver.one("true.example")  # the control
    assert (truth.records, truth.address) == (2, "192.0.2.9")


def test_that_a_name_is_gone_ends_its_stale_address_at_once(driver, ca, serve):
    def goes(server, connection):
        while query := server.read(connection):
            response = answer_to(query)
            if len(server.queries) > 1:
                response = dns.message.make_response(query)
                response.set_rcode(NXDOMAIN)
                response.authority.append(dns.rrset.from_text(
                    "example.", 900, "IN", "SOA", "ns.example. host.example. 1 3600 1200 604800 60"))
            connection.sendall(framed(response.to_wire()))

    server = serve(goes)
    driver.use(ca.roots, server)
    assert driver.one("a.example").address == "192.0.2.7"
    driver.say("advance 301")
    gone = driver.one("a.example")
    assert (gone.rcode, gone.ede) == (NXDOMAIN, None)
    driver.say("advance 61")
    server.stop()
    eventually("it is gone", lambda: driver.one("c.example").rcode == SERVFAIL)
    stale = driver.one("a.example")
    assert (stale.rcode, stale.ede) == (NXDOMAIN, STALE_NXDOMAIN)


def test_records_that_nobody_asked_for_are_no_answer(driver, ca, serve):
    def says_more(server, connection):
        while query := server.read(connection):
            response = answer_to(query)
            if query.question[0].name.to_text() == "more.example.":
                response.answer.append(dns.rrset.from_text("bank.example.", 300, "IN", "A",
                                                           "192.0.2.66"))
            connection.sendall(framed(response.to_wire()))

    driver.use(ca.roots, serve(says_more))
    more = driver.one("more.example")
    assert (more.rcode, more.ede) == (SERVFAIL, NETWORK_ERROR)
    assert driver.one("plain.example").rcode == 0
