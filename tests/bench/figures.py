"""The figures, what they shall reach, and whether they do. No I/O."""

from __future__ import annotations

import dataclasses
import statistics

FLOOR, OURS = "floor", "porchlight"
# Nobody can be asked to be quicker than sockets and OpenSSL; where a ratio to a peer comes to that,
# this much above the floor counts.
ABOVE_FLOOR = 1.05


@dataclasses.dataclass(frozen=True)
class Figure:
    key: str
    what: str
    unit: str
    digits: int = 2
    of_floor: float | None = None  # of the floor's value, at most
    of_peer: float | None = None  # of the best peer's; at most, or at least where more is better
    at_most: float | None = None  # in the figure's own unit
    floor: str = ""  # the floor's figure that it is held against, where that is another one
    more_is_better: bool = False
    heap_only: bool = False  # only peers whose cache lies in their own memory count


FIGURES = [
    Figure("dot_deep", "cached DoT, 10 connections × 20 in flight", "CPU-µs", 2, 2.0, 0.25),
    Figure("dot_10", "cached DoT, 10 connections × 1 in flight", "CPU-µs", 2, 1.15, 0.80),
    Figure("dot_200", "cached DoT, 200 connections × 1 in flight", "CPU-µs", 2, 1.15, 0.80),
    Figure("full", "full TLS 1.3 handshake + query", "CPU-µs", 0, 1.05),
    Figure("resumed", "resumed handshake + query", "CPU-µs", 0, 1.05),
    Figure("doh", "cached DoH, 10 connections × 10 streams", "CPU-µs", 2, None, 0.50),
    Figure("udp", "cached Do53 over UDP, 10 sockets × 10", "CPU-µs", 2, 1.15, 0.95),
    Figure("memory", "memory after the first query, forwarder alone", "MiB", 1, 1.25),
    Figure("memory_home", "memory of all processes, a home of 20 hosts", "MiB", 1, 1.75,
           floor="memory"),
    Figure("memory_shipped", "forwarder alone, as shipped, system's CA bundle", "MiB", 1,
           floor="memory"),
    Figure("memory_home_shipped", "all processes, 20 hosts, system's CA bundle", "MiB", 1,
           floor="memory"),
    Figure("connection", "memory an idle DoT connection, of 5,000", "KiB", 1, 1.10),
    Figure("name", "memory a cached name, of 100,000", "B", 0, None, 0.65, heap_only=True),
    Figure("start", "exec to the first DoT answer", "ms", 1, at_most=25),
    # What of it no other work on the machine changes.
    Figure("start_cpu", "processor time up to that answer, all processes", "CPU-ms", 1),
    Figure("start_shipped", "the same as shipped, system's CA bundle", "ms", 1, floor="start"),
    Figure("workers", "two workers, 10 × 20, throughput", "kq/s", 0, None, 3.0,
           more_is_better=True),
]
BY_KEY = {figure.key: figure for figure in FIGURES}


@dataclasses.dataclass(frozen=True)
class Curve:
    """One of porchlight's figures over a size that grows, and what it may be at the end."""
    key: str
    what: str
    over: str
    unit: str
    # Of its value at the first point, at most, at any later one.
    grows_at_most: float


CURVES = [
    Curve("connections", "memory an idle DoT connection", "connections", "KiB", 1.10),
    Curve("names", "cached DoT, 10 × 20, by names in the cache", "names", "CPU-µs", 1.5),
]

Values = dict[str, dict[str, list[float]]]  # by system, then by figure


@dataclasses.dataclass(frozen=True)
class Verdict:
    figure: Figure
    ours: float | None
    floor: float | None
    peer: str
    peer_value: float | None
    limit: float | None
    met: bool | None  # None: nothing to hold it against

    def of_floor(self) -> float | None:
        return self.ours / self.floor if self.ours is not None and self.floor else None

    def of_peer(self) -> float | None:
        return self.ours / self.peer_value if self.ours is not None and self.peer_value else None


def judge(figure: Figure, values: Values, heaps: set[str]) -> Verdict:
    """Of medians of one run. `heaps` are the systems whose cache lies in their own memory."""
    ours = median(values, OURS, figure.key)
    floor = median(values, FLOOR, figure.floor or figure.key)
    peer, peer_value = best_peer(figure, values, heaps)
    limit = figure.at_most
    if figure.of_floor and floor is not None:
        limit = stricter(limit, figure.of_floor * floor)
    if figure.of_peer and peer_value is not None:
        by_peer = figure.of_peer * peer_value
        if floor is not None and not figure.more_is_better and by_peer < floor:
            by_peer = ABOVE_FLOOR * floor
        limit = by_peer if figure.more_is_better else stricter(limit, by_peer)
    met = None
    if ours is not None and limit is not None:
        met = ours >= limit if figure.more_is_better else ours <= limit
    return Verdict(figure, ours, floor, peer, peer_value, limit, met)


def best_peer(figure: Figure, values: Values, heaps: set[str]) -> tuple[str, float | None]:
    found = {system: value for system in values if system not in (FLOOR, OURS)
             and (system in heaps or not figure.heap_only)
             and (value := median(values, system, figure.key)) is not None}
    if not found:
        return "", None
    best = (max if figure.more_is_better else min)(found, key=lambda system: found[system])
    return best, found[best]


def median(values: Values, system: str, key: str) -> float | None:
    measured = values.get(system, {}).get(key)
    return statistics.median(measured) if measured else None


def stricter(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)


def grew(points: dict[int, float]) -> float | None:
    """The most that any later point is, of the first."""
    ordered = [points[size] for size in sorted(points)]
    return max(ordered[1:]) / ordered[0] if len(ordered) > 1 and ordered[0] > 0 else None
