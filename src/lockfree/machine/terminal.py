"""What `lockfree machine` shows on a terminal."""

from collections.abc import Mapping
from typing import Any

from lockfree._page.charts import duration, size, three
from lockfree._tables import show


def ns(figure: float | None) -> str:
    """Nanoseconds in a unit that suits them; below 100 ns with three digits."""
    if figure is None:
        return "-"
    return f"{figure:.3g} ns" if figure < 100 else duration(figure)


def _range(spread: Mapping[str, float] | None) -> str:
    return f"{ns(spread['low'])} - {ns(spread['high'])}" if spread else "-"


def show_all(results: Mapping[str, Any]) -> None:
    machine = results["machine"]
    print(f"{machine['cpu']}, {machine['topology']}; {machine['system']}; {machine['compiler']}")
    for note in results["notes"]:
        print(f"note: {note}")
    for name, section in results["sections"].items():
        if section["problem"]:
            print(f"\n{TITLES[name]}: not measured: {section['problem']}")
        else:
            SHOWN[name](section)


def _transfer(section: Mapping[str, Any]) -> None:
    cpus, found = section["cpus"], {}
    for pair in section["pairs"]:
        found[pair["a"], pair["b"]] = found[pair["b"], pair["a"]] = pair.get("median")
    if len(cpus) <= 16:
        head = ["", *map(str, cpus)]
        rows = [[str(a), *("-" if a == b else ns(found.get((a, b)))[:-3] for b in cpus)] for a in cpus]
        show(f"{TITLES['transfer']}, ns one way", head, rows)
    known = sorted((pair["median"], pair["a"], pair["b"]) for pair in section["pairs"] if pair.get("median"))
    if known and len(known) > 1:
        picked = [("nearest", known[0]), ("middle", known[len(known) // 2]), ("farthest", known[-1])]
        rows = [[word, f"{a} - {b}", ns(figure)] for word, (figure, a, b) in picked]
        show(f"{TITLES['transfer']}: the range", ["", "processors", "one way"], rows, left=(0, 1))


def _operations(section: Mapping[str, Any]) -> None:
    rows = [
        [row["what"], ns(row["ns"]["median"]) if row["ns"] else row["problem"] or "-", _range(row["ns"])]
        for row in section["rows"]
    ]
    show(TITLES["operations"], ["", "median", "low - high"], rows)


def _contention(section: Mapping[str, Any]) -> None:
    counts = sorted({row["threads"] for row in section["rows"]})
    found = {(row["name"], row["threads"]): row for row in section["rows"]}
    rows = []
    for name in dict.fromkeys(row["name"] for row in section["rows"]):
        cells = [found.get((name, count)) for count in counts]
        rows.append([name, *(three(cell["rate"]["median"]) if cell and cell["rate"] else "-" for cell in cells)])
    head = ["", *(f"{count} thread{'s' * (count > 1)}" for count in counts)]
    show(f"{TITLES['contention']}, million operations per second in all", head, rows)


def _sharing(section: Mapping[str, Any]) -> None:
    rows = [[row["name"], row["layout"], ns(row["ns"]["median"]), _range(row["ns"])] for row in section["rows"]]
    title = f"{TITLES['sharing']}: {section['threads']} threads, a counter each"
    show(title, ["", "placed in", "per operation", "low - high"], rows, left=(0, 1))


def _wake(section: Mapping[str, Any]) -> None:
    rows = []
    for row in section["rows"]:
        wake, call = row["wake"] or {}, row["call"] or {}
        figures = [ns(wake.get("p50")), ns(wake.get("p99")), ns(call.get("p50")), str(wake.get("count", 0))]
        rows.append([row["where"], ns(row["nap_ns"]), *figures])
    show(TITLES["wake"], ["the sleeper", "had slept", "wake p50", "p99", "waker's call", "wakes"], rows)


def _memory(section: Mapping[str, Any]) -> None:
    counts = sorted({row["threads"] for row in section["bandwidth"]})
    kinds = [(traffic, count) for count in counts for traffic in ("read", "write", "copy")]
    found = {(row["traffic"], row["threads"], row["bytes"]): row["rate"] for row in section["bandwidth"]}
    latency = {row["bytes"]: row["ns"] for row in section["latency"]}
    rows = []
    for bytes_ in section["sizes"]:
        rates = [found.get((*kind, bytes_)) for kind in kinds]
        load = latency.get(bytes_)
        cells = [three(rate["median"]) if rate else "-" for rate in rates]
        rows.append([size(bytes_), ns(load["median"]) if load else "-", *cells])
    head = ["size", "load", *(f"{traffic} x{count}" for traffic, count in kinds)]
    show(f"{TITLES['memory']}: a load that waits for the one before; GB/s by 1 thread and by all", head, rows)


def word(allowed: bool | None) -> str:
    return {True: "allowed", False: "forbidden", None: "not known"}[allowed]


def _litmus(section: Mapping[str, Any]) -> None:
    rows = []
    for test in section["tests"]:
        seen = f"{test['seen']:,} of {test['runs']:,}"
        if test["problem"]:
            seen = f"needs {len(test['threads'])} CPUs"
        elif test["forbidden_but_seen"]:
            seen += " FORBIDDEN"
        rows.append([test["name"], test["weak"], word(test["c11"]), word(test["machine"]), seen])
    head = ["test", "weak outcome", "C11", section["model"] or "this machine", "seen"]
    show(f"{TITLES['litmus']}: outcomes that no interleaving explains", head, rows, left=(0, 1, 2, 3, 4))


SHOWN = {
    "transfer": _transfer,
    "operations": _operations,
    "contention": _contention,
    "sharing": _sharing,
    "wake": _wake,
    "memory": _memory,
    "litmus": _litmus,
}
TITLES = {
    "transfer": "A cache line from core to core",
    "operations": "Alone, in time on a processor",
    "contention": "One word, contended",
    "sharing": "False sharing",
    "wake": "Wake of a sleeper",
    "memory": "Memory by size",
    "litmus": "Litmus tests",
}
