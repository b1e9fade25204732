"""A run as one SVG: a row for each figure, a mark for each system on a logarithmic scale of its own,
and the curves below."""

from __future__ import annotations

import math
from html import escape

from figures import CURVES, FLOOR, OURS, Curve, Values, Verdict, median

_WIDTH, _LEFT, _RIGHT = 980, 360, 60
_ROW, _TOP = 34, 84
_CURVE_HEIGHT = 150
_COLOURS = {FLOOR: "#888888", OURS: "#d1495b"}
_PEERS = ["#00798c", "#edae49", "#66a182", "#2e4057"]


def draw(title: str, verdicts: list[Verdict], values: Values, points: dict[str, dict[int, float]]
         ) -> str:
    colours = _colours(values)
    rows = [verdict for verdict in verdicts if verdict.ours is not None]
    curves = [curve for curve in CURVES if len(points.get(curve.key, {})) > 1]
    height = _TOP + _ROW * len(rows) + 30 + (_CURVE_HEIGHT + 60 if curves else 0)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
             f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
             _text(20, 24, "porchlight beside other forwarders", size=16),
             _text(20, 42, title, size=10)]
    parts += _legend(colours)
    for number, verdict in enumerate(rows):
        parts += _row(_TOP + _ROW * number, verdict, values, colours)
    below = _TOP + _ROW * len(rows) + 30
    for number, curve in enumerate(curves):
        parts += _curve(20 + number * _WIDTH // 2, below, curve, points[curve.key])
    return "\n".join([*parts, "</svg>"]) + "\n"


def _colours(values: Values) -> dict[str, str]:
    peers = [name for name in values if name not in _COLOURS]
    return {name: _COLOURS.get(name) or _PEERS[peers.index(name) % len(_PEERS)] for name in values}


def _legend(colours: dict[str, str]) -> list[str]:
    parts, x = [], 20
    for name, colour in colours.items():
        parts += [f'<circle cx="{x + 5}" cy="60" r="5" fill="{colour}"/>', _text(x + 14, 64, name)]
        x += 30 + 8 * len(name)
    return [*parts, f'<path d="M{x + 5} 53v14" stroke="black" stroke-width="2"/>',
            _text(x + 12, 64, "target; left of it is better, or right of it where ≥ stands")]


def _row(top: float, verdict: Verdict, values: Values, colours: dict[str, str]) -> list[str]:
    figure, middle = verdict.figure, top + _ROW / 2
    shown = {name: value for name in values
             if (value := median(values, name, figure.key)) is not None and value > 0}
    if figure.floor and verdict.floor:
        shown[FLOOR] = verdict.floor
    every = [*shown.values(), *([verdict.limit] if verdict.limit else [])]
    low, high = math.log10(min(every)) - 0.05, math.log10(max(every)) + 0.05

    def x(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    verdict_colour = {True: "#2a7f3f", False: "#b00020", None: "#555555"}[verdict.met]
    sign = " (≥)" if figure.more_is_better else ""
    parts = [_text(20, middle + 4, figure.what + sign, colour=verdict_colour),
             f'<path d="M{_LEFT} {middle}H{_WIDTH - _RIGHT}" stroke="#dddddd"/>']
    if verdict.limit:
        parts.append(f'<path d="M{x(verdict.limit):.1f} {middle - 9}v18" stroke="black" '
                     'stroke-width="2"/>')
    # Ours last, so that nothing covers it.
    for name in sorted(shown, key=lambda name: name == OURS):
        value = f"{shown[name]:.{figure.digits}f} {figure.unit}"
        parts.append(f'<circle cx="{x(shown[name]):.1f}" cy="{middle}" r="5" '
                     f'fill="{colours.get(name, "#888888")}"><title>{escape(name)}: {value}</title>'
                     '</circle>')
    if verdict.ours:
        parts.append(_text(x(verdict.ours), middle - 8, f"{verdict.ours:.{figure.digits}f}",
                           size=9, anchor="middle"))
    parts.append(_text(_WIDTH - _RIGHT + 6, middle + 4, figure.unit, size=10))
    return parts


def _curve(left: float, top: float, curve: Curve, points: dict[int, float]) -> list[str]:
    width, height = _WIDTH / 2 - 100, _CURVE_HEIGHT
    sizes = sorted(points)
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])
    most = max(points.values()) * 1.2

    def place(size: int) -> tuple[float, float]:
        return (left + 20 + (math.log10(size) - low) / (high - low) * width,
                top + 20 + height * (1 - points[size] / most))

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, sizes))
    parts = [_text(left, top + 8, f"{curve.what}, {curve.unit}"),
             f'<path d="M{left + 20} {top + 20}v{height}h{width}" fill="none" stroke="#888888"/>',
             f'<polyline points="{line}" fill="none" stroke="{_COLOURS[OURS]}" stroke-width="2"/>']
    for size in sizes:
        x, y = place(size)
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_COLOURS[OURS]}"/>',
                  _text(x, y - 9, f"{points[size]:.2f}", size=10, anchor="middle"),
                  _text(x, top + height + 36, f"{size:,}", size=10, anchor="middle")]
    return parts


def _text(x: float, y: float, text: str, size: int = 12, anchor: str = "start",
          colour: str = "black") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}">{escape(text)}</text>')
