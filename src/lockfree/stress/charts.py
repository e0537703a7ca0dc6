"""The report's charts: SVG, coloured by the page's style sheet, so that they follow light and dark."""

import html
import math
from collections.abc import Mapping, Sequence

from lockfree.stress.figures import BIN_NS

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 1000, 260, 64, 26, 10, 12


def dot(index: int) -> str:
    return f'<span class="dot" style="background:var(--c{index % 8})"></span>'


def duration(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            value = ns / size
            return f"{value:.0f} {unit}" if value >= 100 or value == int(value) else f"{value:.1f} {unit}"
    return f"{ns:.0f} ns"


def _short(number: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number:g}"


def _legend(names: Sequence[str]) -> str:
    items = "".join(f"<span>{dot(i)} {html.escape(name)}</span>" for i, name in enumerate(names))
    return f'<div class="legend">{items}</div>'


def _svg(label: str, body: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(label)}">{body}</svg>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str = "grid") -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _nice(limit: float, steps: int = 5) -> float:
    """A round step of which about `steps` fit into the limit."""
    raw = max(limit, 1e-9) / steps
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= raw)


def throughput(bins: Mapping[str, Mapping[int, int]]) -> str:
    """Stacked bars: calls per second in each quarter of a second, a colour per primitive."""
    scale = 1e9 / BIN_NS
    last = max((at for per in bins.values() for at in per), default=0) + 1
    totals = [sum(per.get(at, 0) for per in bins.values()) * scale for at in range(last)]
    step = _nice(max(totals, default=1.0))
    top = step * math.ceil(max([*totals, step]) / step)
    wide, high = (WIDTH - LEFT - RIGHT) / last, HEIGHT - BOTTOM - TOP
    body = []
    for i in range(round(top / step) + 1):
        y = TOP + high * (1 - i * step / top)
        body.append(
            _line(LEFT, y, WIDTH - RIGHT, y, "grid" if i else "axis") + _text(LEFT - 8, y + 4, _short(i * step), "end")
        )
    second = _nice(last / scale, 8)
    ticks = [i * second for i in range(int(last / scale / second) + 1)]
    body += [_text(LEFT + at * scale * wide, HEIGHT - 8, f"{at:g} s") for at in ticks]
    for at in range(last):
        y = TOP + high
        for index, (name, per) in enumerate(bins.items()):
            count = per.get(at, 0)
            if not count:
                continue
            tall = count * scale / top * high
            y -= tall
            body.append(
                f'<rect x="{LEFT + at * wide:.2f}" y="{y:.2f}" width="{max(wide - 0.6, 0.4):.2f}" height="{tall:.2f}"'
                f' fill="var(--c{index % 8})"><title>{html.escape(name)}, {at / scale:g} s:'
                f" {count * scale:,.0f} operations/s</title></rect>"
            )
    return _svg("operations per second over time", "".join(body)) + _legend(list(bins))


def latency(curves: Mapping[str, Sequence[tuple[float, int]]]) -> str:
    """Latency by percentile, as HdrHistogram draws it: the further right, the rarer; both axes logarithmic."""
    nines = 5.0  # up to 99.999%
    points = [(f, ns) for curve in curves.values() for f, ns in curve if ns > 0]
    if not points:
        return ""
    low = math.floor(math.log10(min(ns for _, ns in points)))
    top = max(low + 1, math.ceil(math.log10(max(ns for _, ns in points))))
    across, high = WIDTH - LEFT - RIGHT, HEIGHT - BOTTOM - TOP

    def x_of(fraction: float) -> float:
        return LEFT + across * min(nines, -math.log10(max(1 - fraction, 10**-nines))) / nines

    def y_of(ns: float) -> float:
        return TOP + high * (1 - (math.log10(ns) - low) / (top - low))

    body = []
    for power in range(low, top + 1):
        y = y_of(10.0**power)
        body.append(_line(LEFT, y, WIDTH - RIGHT, y) + _text(LEFT - 8, y + 4, duration(10.0**power), "end"))
    for fraction in (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999):
        x = x_of(fraction)
        label = _text(x, HEIGHT - 8, f"{fraction * 100:g}%", "end" if x > WIDTH - 40 else "middle")
        body.append(_line(x, TOP, x, TOP + high) + label)
    for index, (name, curve) in enumerate(curves.items()):
        path, before = [], 0.0
        for fraction, ns in curve:
            path.append(f"{x_of(before):.1f},{y_of(max(ns, 1)):.1f} {x_of(fraction):.1f},{y_of(max(ns, 1)):.1f}")
            before = fraction
        body.append(
            f'<polyline points="{" ".join(path)}" fill="none" stroke="var(--c{index % 8})" stroke-width="2"'
            f' stroke-linejoin="round"><title>{html.escape(name)}</title></polyline>'
        )
    return _svg("latency by percentile", "".join(body)) + _legend(list(curves))
