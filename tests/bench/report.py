"""Tables of a run, as Markdown that is read as text too, and what falls short."""

from __future__ import annotations

from figures import CURVES, FIGURES, FLOOR, Figure, Values, Verdict, grew, median

Points = dict[str, dict[int, float]]  # by curve, then by size


def verdicts_table(verdicts: list[Verdict], served: set[str]) -> str:
    """`served`: what porchlight serves, of "dot", "doh" and "udp"."""
    rows = [["figure", "unit", "floor", "best peer", "porchlight", "of floor", "of peer",
             "target", "met"]]
    for verdict in verdicts:
        figure = verdict.figure
        ours = _number(verdict.ours, figure)
        if verdict.ours is None:
            ours = "not served" if figure.key == "doh" and "doh" not in served else "not taken"
        peer = f"{_number(verdict.peer_value, figure)} {verdict.peer}".strip()
        rows.append([figure.what, figure.unit, _number(verdict.floor, figure), peer, ours,
                     _ratio(verdict.of_floor()), _ratio(verdict.of_peer()), _target(verdict),
                     {True: "yes", False: "NO", None: "–"}[verdict.met]])
    return _table(rows)


def systems_table(values: Values, versions: dict[str, str]) -> str:
    rows = [["median (least–most)", "unit", *(f"{name} {versions[name]}" for name in values)]]
    for figure in FIGURES:
        if any(figure.key in of_system for of_system in values.values()):
            rows.append([figure.what, figure.unit,
                         *(_spread(of_system.get(figure.key), figure)
                           for of_system in values.values())])
    return _table(rows)


def curves_table(points: Points) -> str:
    rows = [["porchlight, as it grows", "unit", "", "most, of the first", "target", "met"]]
    for curve in CURVES:
        if of_curve := points.get(curve.key):
            growth = grew(of_curve)
            rows.append([
                curve.what, curve.unit,
                ", ".join(f"{size:,}: {of_curve[size]:.2f}" for size in sorted(of_curve)),
                _ratio(growth), f"≤ {curve.grows_at_most:g}",
                "–" if growth is None else "yes" if growth <= curve.grows_at_most else "NO"])
    return _table(rows) if len(rows) > 1 else ""


def short_of(verdicts: list[Verdict], points: Points) -> list[str]:
    """A sentence for each target that is not met."""
    found = []
    for verdict in verdicts:
        if verdict.met is False:
            figure = verdict.figure
            found.append(f"{figure.what}: {_number(verdict.ours, figure)} {figure.unit}, "
                         f"wanted {_target(verdict)}")
    for curve in CURVES:
        growth = grew(points.get(curve.key, {}))
        if growth is not None and growth > curve.grows_at_most:
            found.append(f"{curve.what}: grows {growth:.2f} times with {curve.over}, "
                         f"wanted at most {curve.grows_at_most:g}")
    return found


def _target(verdict: Verdict) -> str:
    figure = verdict.figure
    if verdict.limit is None:
        return "–"
    sign = "≥" if figure.more_is_better else "≤"
    why = [f"{figure.of_floor:g} × floor"] if figure.of_floor else []
    why += [f"{figure.of_peer:g} × peer"] if figure.of_peer else []
    limit = f"{sign} {_number(verdict.limit, figure)}"
    return f"{limit} ({', '.join(why)})" if why else limit


def _number(value: float | None, figure: Figure) -> str:
    return "–" if value is None else f"{value:.{figure.digits}f}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _spread(measured: list[float] | None, figure: Figure) -> str:
    if not measured:
        return "–"
    middle = median({FLOOR: {figure.key: measured}}, FLOOR, figure.key)
    if len(measured) == 1:
        return _number(middle, figure)
    return (f"{_number(middle, figure)} ({_number(min(measured), figure)}–"
            f"{_number(max(measured), figure)})")


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
