"""How long failures are remembered (RFC 9520). Loopback only, no privilege needed."""

from __future__ import annotations

import threading

from test_upstream import SERVFAIL, ca, certificate, driver, serve  # noqa: F401 (fixtures)
from upstreams import answer_to, eventually, framed


def test_a_home_that_was_cut_off_is_back_soon_after_its_line(driver, ca, serve):
    """Cut off in silence, which costs each look-up all of its time."""
    cut = threading.Event()
    cut.set()

    def answers_unless_cut(server, connection):
        while query := server.read(connection):
            if not cut.is_set():
                connection.sendall(framed(answer_to(query).to_wire()))

    driver.use(ca.roots, serve(answers_unless_cut), query_max="200")
    for _ in range(40):  # doubled, what is remembered would last for more than a minute by then
        assert driver.one("a.example").rcode == SERVFAIL
        driver.say("advance 2")
    cut.clear()
    driver.say("advance 2")
    eventually("it is back", lambda: driver.one("a.example").rcode == 0, 10)


class Beyond:
    """A server that never answers what lies below the names in `dark`."""

    def __init__(self, *dark: str) -> None:
        self.dark = set(dark)

    def __call__(self, server, connection) -> None:
        while query := server.read(connection):
            name = query.question[0].name.to_text()
            if not any(name.endswith(one) for one in self.dark):
                connection.sendall(framed(answer_to(query).to_wire()))


def test_names_that_were_silent_are_back_with_the_first_of_them(driver, ca, serve):
    """The way was cut beyond the upstream, which answers other names all the time."""
    way = Beyond("far.example.")
    server = serve(way)
    driver.use(ca.roots, server, query_max="3000")

    def codes(*names: str) -> list[int]:
        answers = {answer.name: answer.rcode for answer in driver.ask(*names)}
        return [answers[name] for name in names]

    assert codes("one.far.example", "other.far.example", "near1.example") == [SERVFAIL, SERVFAIL, 0]
    for number, pause_s in (2, 6), (3, 11):  # it is left alone for 10 s, for 20 s
        driver.say(f"advance {pause_s}")
        assert codes("other.far.example", f"near{number}.example") == [SERVFAIL, 0]
    way.dark.clear()
    before = len(server.queries)
    assert codes("other.far.example") == [SERVFAIL]
    assert len(server.queries) == before  # the control: nobody was asked
    assert codes("one.far.example") == [0]
    driver.say("advance 1")  # each failure counts for that long
    assert codes("other.far.example") == [0]


def test_what_died_of_the_line_after_its_return_is_asked_again_within_a_second(driver, ca, serve):
    line = Beyond("example.")
    driver.use(ca.roots, serve(line), query_max="4000")
    assert driver.one("a.example").rcode == SERVFAIL  # now it is known that nobody answers
    driver.say("ask lost.example A")
    driver.sleep(0.3)
    line.dark = {"lost.example."}  # the line is back, and what was under way is lost
    answers = {answer.name: answer.rcode for answer in driver.ask("b.example")}
    assert answers == {"b.example": 0, "lost.example": SERVFAIL}
    line.dark.clear()
    driver.say("advance 1")
    assert driver.one("lost.example").rcode == 0
