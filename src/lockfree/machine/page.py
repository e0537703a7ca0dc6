"""The page of `lockfree machine --html`: one file, no network."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lockfree._page import charts, render
from lockfree.machine.terminal import TITLES, ns, word

LABELLED = 16
"""A heat map of more processors than this has no figures in its cells, only colours and titles."""


def facts(results: Mapping[str, Any]) -> dict[str, str]:
    """The machine in words, for the table at the end of a page."""
    about = results["machine"]
    found = {
        "processor": about["cpu"],
        "topology": about["topology"],
        "caches": "; ".join(about["caches"]) or "not known",
        "memory": f"{about['memory_bytes'] / 2**30:.1f} GiB",
        "system": about["system"],
        "python": about["python"],
        "compiler": about["compiler"],
        "clock": f"{about['clock']}, {about['clock_ns']} ns a reading",
        "lockfree": about["lockfree"] + (f", commit {about['commit']}" if about["commit"] else ""),
    }
    if about["cpu_quota"]:
        found["limit"] = f"{about['cpu_quota']:g} processors' worth of time (container)"
    return found


def page(results: Mapping[str, Any]) -> str:
    sections = results["sections"]
    measured = {name: section for name, section in sections.items() if not section["problem"]}
    makers = {
        "transfer": _matrix,
        "operations": _operations,
        "contention": _contention,
        "sharing": _sharing,
        "wake": _wake,
        "memory": _memory,
        "litmus": _litmus,
    }
    return render(
        Path(__file__).parent / "page.html",
        results=results,
        titles=TITLES,
        problems={name: section["problem"] for name, section in sections.items() if section["problem"]},
        tiles=_tiles(measured),
        facts=facts(results),
        **{name: makers[name](measured[name]) if name in measured else None for name in makers},
    )


def _tiles(sections: Mapping[str, Any]) -> list[tuple[str, str]]:
    tiles = []
    known = [pair["median"] for pair in sections.get("transfer", {}).get("pairs", []) if "median" in pair]
    if known:
        text = ns(min(known)) if len(known) == 1 else f"{ns(min(known))} to {ns(max(known))}"
        tiles.append((text, "a cache line from core to core, one way"))
    alone = {row["name"]: row["ns"]["median"] for row in sections.get("operations", {}).get("rows", []) if row["ns"]}
    if "fetch_add" in alone:
        tiles.append((ns(alone["fetch_add"]), "fetch_add, alone"))
    if "fence_seq_cst" in alone:
        tiles.append((ns(alone["fence_seq_cst"]), "a fence, seq_cst"))
    woken = [row["wake"]["p50"] for row in sections.get("wake", {}).get("rows", []) if row["wake"]]
    if woken:
        tiles.append((ns(min(woken)), "the fastest kind of wake, median"))
    if "litmus" in sections:
        tests = [test for test in sections["litmus"]["tests"] if not test["problem"]]
        wrong = sum(test["forbidden_but_seen"] for test in tests)
        tiles.append((f"{wrong} of {len(tests)}", "litmus tests with an outcome that is forbidden"))
    return tiles


def _matrix(section: Mapping[str, Any]) -> dict[str, Any] | None:
    cpus = section["cpus"]
    found = {(p["a"], p["b"]): p for p in section["pairs"] if "median" in p}
    if not found:
        return None
    low, high = (f(math.log(p["median"]) for p in found.values()) for f in (min, max))

    def cell(a: int, b: int) -> dict[str, Any] | None:
        pair = found.get((min(a, b), max(a, b)))
        if pair is None:
            return None
        part = (math.log(pair["median"]) - low) / (high - low) if high > low else 0.5
        return {
            "heat": round(15 + 85 * part),
            "text": f"{pair['median']:.0f}" if len(cpus) <= LABELLED else "",
            "title": f"{a} and {b}: {ns(pair['median'])}, 90% of the samples {ns(pair['low'])} to {ns(pair['high'])}",
        }

    rows = [{"cpu": a, "cells": [cell(a, b) for b in cpus]} for a in cpus]
    medians = [p["median"] for p in found.values()]
    return {
        "cpus": cpus,
        "rows": rows,
        "small": len(cpus) > LABELLED,
        "low": ns(min(medians)),
        "high": ns(max(medians)),
    }


def _bars(figures: Sequence[tuple[str, Mapping[str, float] | None, str]]) -> list[dict[str, Any]]:
    """Bars on a logarithmic scale, of (name, spread, what stands instead of a figure)."""
    known = [spread["median"] for _, spread, _ in figures if spread and spread["median"] > 0]
    low = 10.0 ** math.floor(math.log10(min(known))) if known else 1.0
    top = max(known, default=1.0) * 1.1
    bars = []
    for name, spread, instead in figures:
        width = 100 * math.log(max(spread["median"], low) / low) / math.log(top / low) if spread else 0
        text = ns(spread["median"]) if spread else instead
        detail = f"{ns(spread['low'])} to {ns(spread['high'])}" if spread else ""
        width = round(max(width, 1.0 if spread else 0), 2)
        bars.append({"name": name, "width": width, "text": text, "detail": detail, "missing": not spread})
    return bars


def _operations(section: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _bars([(row["what"], row["ns"], row["problem"] or "-") for row in section["rows"]])


def _contention(section: Mapping[str, Any]) -> dict[str, Any]:
    names = list(dict.fromkeys(row["name"] for row in section["rows"]))
    counts = sorted({row["threads"] for row in section["rows"]})
    found = {(row["name"], row["threads"]): row for row in section["rows"] if row["rate"]}
    curves = {n: [(float(c), found[n, c]["rate"]["median"]) for c in counts if (n, c) in found] for n in names}
    rows = [
        {
            "name": name,
            "cells": [
                {"rate": charts.three(row["rate"]["median"]), "least": f"{row['least_to_most']:.0%}"} if row else None
                for row in (found.get((name, count)) for count in counts)
            ],
        }
        for name in names
    ]
    chart = charts.over(curves, lambda x: f"{x:g}", lambda y: f"{y:,g}") if len(counts) > 1 else None
    return {"counts": counts, "rows": rows, "chart": chart}


def _sharing(section: Mapping[str, Any]) -> dict[str, Any]:
    parts = {
        name: _bars([(row["layout"], row["ns"], "-") for row in section["rows"] if row["name"] == name])
        for name in dict.fromkeys(row["name"] for row in section["rows"])
    }
    return {"threads": section["threads"], "parts": parts}


def _wake(section: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            row["where"],
            ns(row["nap_ns"]),
            *(ns((row["wake"] or {}).get(p)) for p in ("p10", "p50", "p90", "p99")),
            ns((row["call"] or {}).get("p50")),
            f"{(row['wake'] or {}).get('count', 0):,}",
        ]
        for row in section["rows"]
    ]


def _memory(section: Mapping[str, Any]) -> dict[str, Any]:
    rates: dict[str, list[tuple[float, float]]] = {}
    for row in section["bandwidth"]:
        many = f"{row['threads']} threads" if row["threads"] > 1 else "1 thread"
        if row["rate"]:
            rates.setdefault(f"{row['traffic']}, {many}", []).append((float(row["bytes"]), row["rate"]["median"]))
    latency = [(float(row["bytes"]), row["ns"]["median"]) for row in section["latency"] if row["ns"]]
    return {
        "bandwidth": charts.over(rates, charts.size, lambda y: f"{y:g} GB/s"),
        "latency": charts.over({"one load": latency}, charts.size, lambda y: f"{y:g} ns"),
    }


def _litmus(section: Mapping[str, Any]) -> dict[str, Any]:
    tests = []
    for test in section["tests"]:
        most = max(test["outcomes"].values(), default=1)
        bars = [
            {
                "name": outcome,
                "count": f"{count:,}",
                "width": round(100 * math.log1p(count) / math.log1p(most), 2),
                "weak": outcome == test["weak"],
            }
            for outcome, count in test["outcomes"].items()
        ]
        if test["outcomes"] and test["weak"] not in test["outcomes"]:
            bars.append({"name": test["weak"], "count": "never", "width": 0, "weak": True})
        tests.append({**test, "bars": bars, "c11_word": word(test["c11"]), "machine_word": word(test["machine"])})
    return {"model": section["model"] or "this machine's model", "tests": tests}
