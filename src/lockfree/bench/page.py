"""The page of `lockfree bench --html`: one file, no network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lockfree._page import charts, render
from lockfree.machine.page import facts
from lockfree.machine.terminal import ns

SETTINGS = {
    "capacity": "records that a ring holds",
    "record": "bytes of a record",
    "batch": "records or blocks of a call",
    "seconds": "seconds for each number of processes",
    "samples": "windows that these are cut into",
    "pin": "how processes are pinned",
    "processors": "processors",
}
"""What a setting is, in words."""


def page(results: Mapping[str, Any]) -> str:
    parts = [_part(name, found) for name, found in results["primitives"].items()]
    return render(
        Path(__file__).parent / "page.html", results=results, parts=parts, facts=facts(results), words=SETTINGS
    )


def _part(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    points = found["points"]
    rates = [(float(p["processes"]), p["per_second"]["median"]) for p in points]
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        for role, times in point["ns"].items():
            for p in ("p50", "p99"):
                curves.setdefault(f"{role} {p[1:]}%", []).append((float(point["processes"]), float(times[p])))
    several = len(points) > 1
    return {
        "name": name,
        "what": found["what"],
        "problem": found["problem"],
        "rows": [_row(point) for point in points],
        "round_trip": [ns(found["round_trip"][p]) for p in ("p50", "p99", "p99.9")] if found["round_trip"] else None,
        "rate": charts.over({"operations per second": rates}, _count, charts.short) if several else None,
        "latency": charts.over(curves, _count, charts.duration) if several else None,
    }


def _count(number: float) -> str:
    return f"{number:g}"


def _row(point: Mapping[str, Any]) -> dict[str, Any]:
    rate = point["per_second"]
    return {
        "processes": f"{point['processes']}{' *' if point['oversubscribed'] else ''}",
        "rate": charts.short(rate["median"]),
        "range": f"{charts.short(rate['low'])} to {charts.short(rate['high'])}",
        "least": f"{point['least_to_most']:.0%}",
        "calls": [
            {"name": role, "times": [ns(times[p]) for p in ("p50", "p90", "p99", "p99.9")]}
            for role, times in point["ns"].items()
        ],
    }
