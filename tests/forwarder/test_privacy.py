"""What of a client's query its upstream learns: the question, and nothing of who asks. Loopback only, no
privilege."""

from __future__ import annotations

import dns.edns

from forwarders import query

COOKIE, CLIENT_SUBNET, KEEPALIVE, PADDING = 10, 8, 11, 12
CLIENTS_COOKIE = bytes(range(8))


def options_upstream(upstream) -> dict[int, bytes]:
    """Of the query that came last."""
    return {int(one.otype): one.to_wire() for one in upstream.queries[-1].options}


def test_a_clients_cookie_goes_no_further(connect, upstream):
    client = connect()
    asked = query("cookie.example.", use_edns=0,
                  options=[dns.edns.GenericOption(COOKIE, CLIENTS_COOKIE)])
    assert CLIENTS_COOKIE in asked.to_wire(), "the control: it is there"
    answer = client.ask(asked)
    assert answer.answer and not any(one.otype == COOKIE for one in answer.options)
    assert upstream.queries[-1].question == asked.question
    assert set(options_upstream(upstream)) <= {KEEPALIVE, PADDING}


def test_that_no_subnet_is_to_be_told_is_said_upstream_too(connect, upstream):
    """RFC 7871 section 7.1.2: or the upstream would add one of its own making."""
    client = connect()
    for number, (subnet, told) in enumerate((
            (dns.edns.ECSOption("0.0.0.0", 0), bytes([0, 1, 0, 0])),
            (dns.edns.ECSOption("192.0.2.0", 24), None))):  # the control
        asked = query(f"subnet{number}.example.", use_edns=0, options=[subnet])
        assert client.ask(asked).answer
        assert options_upstream(upstream).get(CLIENT_SUBNET) == told


def test_ids_upstream_are_neither_the_clients_nor_one_after_the_other(connect, upstream):
    client = connect()
    count = 64
    asked = [query(f"n{number}.example.") for number in range(count)]
    for number, one in enumerate(asked):
        one.id = 1000 + number
        client.ask(one)
    theirs = {one.question[0].name: one.id for one in asked}
    ids = [one.id for one in upstream.queries]
    assert len(ids) >= count
    # By chance one in a thousand runs has one of them, and one in millions two.
    kept = sum(theirs[one.question[0].name] == one.id for one in upstream.queries)
    steps = [abs(after - before) for before, after in zip(ids, ids[1:])]
    assert kept <= 1 and sum(step <= 1 for step in steps) <= 1
    assert len(set(ids)) >= count - 2
