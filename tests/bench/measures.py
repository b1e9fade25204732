"""How each figure is taken of one system. Connections stand and caches are warm before any clock is
read; the first of a kind is asked by kdig, and every answer is looked at."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from typing import Callable, Iterator

from figures import FLOOR, OURS
from load import BAD_MAX, Load, checked, h2load
from processes import Failed, Stopwatch, cpu_s, resident_bytes
from systems import System

# A second asking of what was put into a cache may reach the resolver this often, of all.
_FORGOTTEN_MAX = 0.05
_ROOM_FOR_ALL = "512MiB"  # of the longest curve's names
_DAY_NAMES = 1000  # how many names a home asks for again and again


@dataclasses.dataclass(frozen=True)
class Sizes:
    seconds: float
    rounds: int
    connections: tuple[int, ...]  # the curve; the one that is judged is `judged_connections`
    judged_connections: int
    names: int
    names_curve: tuple[int, ...]
    hosts: int


FULL = Sizes(2, 3, (1000, 2500, 5000, 10000), 5000, 100_000, (1000, 10_000, 100_000, 1_000_000), 20)
QUICK = Sizes(0.15, 1, (200, 1000), 1000, 2000, (1000, 2000), 2)

Put = Callable[[str, float], None]
_runs = itertools.count()


@dataclasses.dataclass
class Taking:
    """What is wanted of one system in one round, and where it goes."""
    system: System
    sizes: Sizes
    wanted: set[str]
    put: Put
    note: Callable[[str], None]
    point: Callable[[str, int, float], None]  # of a curve

    def wants(self, *keys: str) -> bool:
        return bool(self.wanted.intersection(keys))

    @contextlib.contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """What fails inside is told, and the rest goes on."""
        try:
            yield
        except (Failed, OSError, ValueError) as why:
            self.note(f"{what}: {why}")


def take(one: Taking) -> None:
    for part in (serving, memory_as_shipped, idle_connections, cached_names, workers, many_names):
        with one.attempt(part.__name__.replace("_", " ")):
            part(one)


def serving(one: Taking) -> None:
    """Everything for which one start is enough."""
    if not one.wants("start", "start_cpu", "memory", "dot_deep", "dot_10", "dot_200", "full",
                     "resumed", "doh", "udp"):
        return
    system = one.system
    with system.running() as start_ms:
        start_cpu_s = cpu_s(system.pids())
        time.sleep(0.3)
        if "dot" in system.serves:  # with nothing but plain DNS it is no match
            one.put("start", start_ms)
            one.put("start_cpu", 1000 * start_cpu_s)
            one.put("memory", resident_bytes(system.serving_pids()) / 2**20)
        system.check_answers()
        if "dot" in system.serves:
            _dot(one)
        if "doh" in system.serves and one.wants("doh"):
            with one.attempt("doh"):
                one.put("doh", _doh(one))
        if "udp" in system.serves and one.wants("udp"):
            with one.attempt("udp"):
                one.put("udp", _per_answer(one, _warm(one, system.udp, 10, 10, proto="udp"))[0])


def _dot(one: Taking) -> None:
    for key, connections, depth in (("dot_10", 10, 1), ("dot_deep", 10, 20), ("dot_200", 200, 1)):
        if one.wants(key):
            with one.attempt(key):
                load = _warm(one, one.system.dot, connections, depth)
                one.put(key, _per_answer(one, load)[0])
    for key, resume in (("full", 0), ("resumed", 1)):
        if not one.wants(key):
            continue
        with one.attempt(key):
            load = Load(one.system.dot, one.sizes.seconds, mode="handshake", conns=4, resume=resume,
                        names=_DAY_NAMES)
            cost, result = _per_answer(one, load)
            by_ticket = result["resumed"] / max(1, result["handshakes"] - 4)  # each's first is full
            if resume and by_ticket < 0.95:
                raise Failed(f"only {100 * by_ticket:.0f} % of those with a ticket were resumed")
            one.put(key, cost)


def _doh(one: Taking) -> float:
    system = one.system
    scratch = system.scratch.folder

    def ask(count: int, *shape: int) -> float:
        return h2load(system.doh, system.serves_doh_by_get, count, *shape, scratch=scratch)

    ask(1, 1, 1)  # into the cache
    trial = 5000
    count = max(trial, int(trial / ask(trial) * one.sizes.seconds))
    with Stopwatch(system.pids()) as watch:
        ask(count)
    return 1e6 * watch.cpu_s / count


def memory_as_shipped(one: Taking) -> None:
    if one.system.name != OURS or not one.wants("memory_shipped", "start_shipped"):
        return
    with one.system.running("conf_shipped") as start_ms:
        one.put("start_shipped", start_ms)
        time.sleep(0.3)
        one.put("memory_shipped", resident_bytes(one.system.serving_pids()) / 2**20)


def idle_connections(one: Taking) -> None:
    """Each made its handshake, asked once and is left alone; it must still be open later."""
    system, sizes = one.system, one.sizes
    if "dot" not in system.serves or not one.wants("connection"):
        return
    curve = sizes.connections if system.name in (FLOOR, OURS) else (sizes.judged_connections,)
    with system.running("conf_idle"):
        _settle(one)
        before = resident_bytes(system.pids())
        batches, held, kib = [], 0, {}
        for size in curve:  # each point adds to those that are open
            batches.append(Load(system.dot, mode="hold", conns=size - held))
            held = size
            time.sleep(1 if sizes.seconds > 1 else 0.1)
            kib[size] = (resident_bytes(system.pids()) - before) / size / 1024
        still = sum(batch.go()["open"] for batch in batches)
        if still < (1 - BAD_MAX) * held:
            raise Failed(f"kept {still} of {held} idle connections")
        one.put("connection", kib[sizes.judged_connections])
        if system.name == OURS:
            for size, each in kib.items():
                one.point("connections", size, each)


def cached_names(one: Taking) -> None:
    system, count = one.system, one.sizes.names
    if not system.spec.get("caches", True) or not one.wants("name"):
        return
    with system.running():
        _settle(one)
        before, prefix = resident_bytes(system.pids()), f"fill{next(_runs)}"
        _fill(one, prefix, count)
        one.put("name", (resident_bytes(system.pids()) - before) / count)


def many_names(one: Taking) -> None:
    """What a hit costs, as the names in the cache become many. Once a run: it takes a while."""
    if one.system.name != OURS or "names" not in one.wanted:
        return
    with one.system.running(cache=_ROOM_FOR_ALL):
        for size in one.sizes.names_curve:
            prefix = f"many{next(_runs)}"
            _fill(one, prefix, size)
            load = Load(one.system.dot, one.sizes.seconds, conns=10, depth=20, names=size,
                        prefix=prefix)
            one.point("names", size, _per_answer(one, load)[0])


def workers(one: Taking) -> None:
    system = one.system
    if "dot" not in system.serves or not one.wants("workers") or not system.workers:
        return
    with system.running(workers=2):
        result = checked(_warm(one, system.dot, 10, 20).go())
        one.put("workers", result["answers"] / result["seconds"] / 1e3)


def _warm(one: Taking, port: int, connections: int, depth: int, **options: object) -> Load:
    return Load(port, one.sizes.seconds, conns=connections, depth=depth, names=_DAY_NAMES, warm=1,
                **options)


def _per_answer(one: Taking, load: Load) -> tuple[float, dict]:
    """Microseconds of the server's processor time an answer."""
    with Stopwatch(one.system.pids()) as watch:
        result = load.go()
    checked(result)
    return 1e6 * watch.cpu_s / result["answers"], result


def _settle(one: Taking) -> None:
    """Buffers and upstream connections are there before what grows is measured; of a cache's own
    tables few names touch little."""
    Load(one.system.dot, 0.2, conns=10, depth=10, names=100, prefix="settle").go()
    time.sleep(0.3)


def _fill(one: Taking, prefix: str, count: int) -> None:
    """Puts names into the cache, through the resolver; a part asked again must not reach it."""
    system, again = one.system, min(count, 5000)
    shape = {"conns": 10, "depth": 10, "names": count, "prefix": prefix}
    checked(Load(system.dot, 120, count=count, **shape).go())
    asked = system.scratch.asked()
    checked(Load(system.dot, 20, count=again, **shape).go())
    if (missed := system.scratch.asked() - asked) > _FORGOTTEN_MAX * again:
        raise Failed(f"{missed} of {again} names were not cached any more")
