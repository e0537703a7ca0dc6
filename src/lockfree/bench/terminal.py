"""What `lockfree bench` shows on a terminal."""

from collections.abc import Mapping
from typing import Any

from lockfree._page.charts import short
from lockfree._tables import show
from lockfree.machine.terminal import ns


def rows(name: str, found: Mapping[str, Any]) -> list[list[str]]:
    """A row for each number of processes and each call that was timed."""
    made = []
    for point in found["points"]:
        rate = point["per_second"]
        first = [name, f"{point['processes']}{'*' if point['oversubscribed'] else ''}"]
        first += [short(rate["median"]), f"{short(rate['low'])} - {short(rate['high'])}"]
        for role, times in point["ns"].items():
            made.append([*first, role, *(ns(times[p]) for p in ("p50", "p99", "p99.9"))])
            first = [""] * 4
    if found["round_trip"]:
        times = found["round_trip"]
        made.append([name, "2", "", "", "round trip", *(ns(times[p]) for p in ("p50", "p99", "p99.9"))])
    return made


def show_all(results: Mapping[str, Any]) -> None:
    machine, settings = results["machine"], results["settings"]
    print(f"{machine['cpu']}, {machine['topology']}; {machine['system']}; {machine['compiler']}; {machine['python']}")
    print(", ".join(f"{name} {value}" for name, value in settings.items()))
    for note in results["notes"]:
        print(f"note: {note}")
    table = [row for name, found in results["primitives"].items() for row in rows(name, found)]
    head = ["", "processes", "per second", "low - high", "call", "50%", "99%", "99.9%"]
    show("From Python, through the whole call", head, table, left=(0, 4))
    if any(point["oversubscribed"] for found in results["primitives"].values() for point in found["points"]):
        print("* more processes than processors")
    for name, found in results["primitives"].items():
        if found["problem"]:
            print(f"{name}: not measured: {found['problem']}")
