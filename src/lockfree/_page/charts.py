"""Charts. All coordinates are percentages, from the left and from the bottom.

The page draws the labels as text, so that they keep their size on every screen; the shapes are SVG that stretches.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

NINES = 5.0
"""The latency charts end at 99.999%."""


@dataclass(frozen=True)
class Tick:
    """A label of an axis. `minor`: may be left out where there is little room."""

    at: float
    text: str
    minor: bool = False


@dataclass(frozen=True)
class Bar:
    """One bar of a lane: percentages of the lane's width and height."""

    left: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Curve:
    """A line of a chart: its points as SVG wants them, y from the top; the name of its colour in page.css."""

    name: str
    points: str
    colour: str


@dataclass(frozen=True)
class Chart:
    """Lines, and the labels of both axes."""

    x: list[Tick]
    y: list[Tick]
    curves: list[Curve]


def duration(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            value = ns / size
            return f"{value:.0f} {unit}" if value >= 100 or value == int(value) else f"{value:.1f} {unit}"
    return f"{ns:.0f} ns"


def short(number: float) -> str:
    """A number with two or three digits: 1.2 M, 380 k."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            value = number / size
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return f"{number:.0f}"


def _nice(limit: float, steps: int = 5) -> float:
    """A round step of which about `steps` fit into the limit."""
    raw = max(limit, 1e-9) / steps
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= raw)


def time_axis(seconds: float) -> list[Tick]:
    """Labels for a time from 0."""
    step = _nice(seconds, 8)
    count = int(seconds / step + 1e-9) + 1
    return [Tick(i * step / seconds * 100, f"{i * step:g} s", minor=i % 2 == 1) for i in range(count)]


def lane(values: Sequence[tuple[float, float, float]], seconds: float, top: float, unit: str) -> list[Bar]:
    """Bars of (begin, end, value), of which `top` fills the height."""
    return [
        Bar(
            begin / seconds * 100,
            (min(end, seconds) - begin) / seconds * 100,
            min(1.0, value / top) * 100,
            f"{begin:g} s: {value:,.0f}{unit}",
        )
        for begin, end, value in values
        if value > 0 and begin < seconds
    ]


def latency(curves: Mapping[str, Sequence[tuple[float, int]]]) -> Chart | None:
    """Time from call to return by percentile, both axes logarithmic, as HdrHistogram draws it.

    The curves are of (fraction of the calls, nanoseconds). None if there is nothing to draw.
    """
    points = [ns for curve in curves.values() for _, ns in curve if ns > 0]
    if not points:
        return None
    low = math.floor(math.log10(min(points)))
    top = max(low + 1, math.ceil(math.log10(max(points))))

    def x_of(fraction: float) -> float:
        return 100 * min(NINES, -math.log10(max(1 - fraction, 10**-NINES))) / NINES

    def y_of(ns: float) -> float:
        return 100 * (math.log10(ns) - low) / (top - low)

    def line(curve: Sequence[tuple[float, int]]) -> str:
        steps, before = [], 0.0
        for fraction, ns in curve:
            y = 100 - y_of(max(ns, 10.0**low))
            steps += [f"{x_of(before):.2f},{y:.2f}", f"{x_of(fraction):.2f},{y:.2f}"]
            before = fraction
        return " ".join(steps)

    fractions = (
        (0.0, False),
        (0.5, True),
        (0.9, False),
        (0.99, False),
        (0.999, False),
        (0.9999, True),
        (0.99999, False),
    )
    many = top - low > 6
    return Chart(
        [Tick(x_of(f), f"{f * 100:g}%", minor) for f, minor in fractions],
        [Tick(y_of(10.0**p), duration(10.0**p), many and (p - low) % 2 == 1) for p in range(low, top + 1)],
        [Curve(name, line(curve), f"call-{name}") for name, curve in curves.items()],
    )


def three(number: float) -> str:
    """A number with three digits and no exponent: 2,050, 99.1, 0.514."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def size(count: float) -> str:
    """Bytes: 64 B, 4 KiB, 1 MiB."""
    for unit, whole in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= whole:
            return f"{count / whole:g} {unit}" if count % whole == 0 else f"{count / whole:.1f} {unit}"
    return f"{count:g} B"


def over(
    curves: Mapping[str, Sequence[tuple[float, float]]], x_text: Callable[[float], str], y_text: Callable[[float], str]
) -> Chart | None:
    """Curves of (x, y), both more than 0, on logarithmic axes. The labels of x are the values that there are."""
    points = [point for curve in curves.values() for point in curve if point[1] > 0]
    if not points:
        return None
    xs = sorted({x for x, _ in points})
    left, right = math.log2(xs[0]), math.log2(xs[-1])
    low = math.floor(math.log10(min(y for _, y in points)))
    top = max(low + 1, math.ceil(math.log10(max(y for _, y in points))))

    def x_of(x: float) -> float:
        return 100 * (math.log2(x) - left) / (right - left) if right > left else 50

    def y_of(y: float) -> float:
        return 100 * (math.log10(y) - low) / (top - low)

    def line(curve: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x_of(x):.2f},{100 - y_of(y):.2f}" for x, y in curve if y > 0)

    few = top - low == 1
    marks = [m * 10.0**p for p in range(low, top) for m in ((1, 2, 5) if few else (1,))] + [10.0**top]
    return Chart(
        [Tick(x_of(x), x_text(x), minor=i % (3 if len(xs) > 8 else 2) != 0 and len(xs) > 5) for i, x in enumerate(xs)],
        [Tick(y_of(y), y_text(y)) for y in marks],
        [Curve(name, line(curve), f"series-{i}") for i, (name, curve) in enumerate(curves.items())],
    )
