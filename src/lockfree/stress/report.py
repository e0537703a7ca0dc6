"""What a run leaves in `--out DIR`: results.json and report.html, each written whole or not at all."""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lockfree._command import write_whole
from lockfree._page import charts, render
from lockfree.machine import describe, topology
from lockfree.machine.page import facts
from lockfree.stress.campaign import Campaign, Tally
from lockfree.stress.checking import Checked
from lockfree.stress.figures import BIN_NS, OperationFigures
from lockfree.stress.scenario import load
from lockfree.stress.window import columns

PERCENTILES = ("50", "90", "99", "99.9", "99.99")
COLOURED = ("put", "get", "acquire", "release", "write", "read", "cas", "fetch_add", "load", "alloc", "free")
"""Calls that have a colour of their own in page.html, the same in all charts."""


def write(campaign: Campaign, out: Path, command: str = "") -> Path:
    """Writes both files; the path of the page."""
    out.mkdir(parents=True, exist_ok=True)
    results = _results(campaign, command)
    write_whole(out / "results.json", json.dumps(results, indent=1) + "\n")
    write_whole(out / "report.html", _page(campaign, results))
    return out / "report.html"


def _results(campaign: Campaign, command: str) -> dict[str, Any]:
    own, everybody = campaign.load.seconds()
    return {
        "verdict": "INTERRUPTED" if campaign.interrupted else campaign.verdict,
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": command,
        "seed": campaign.limits.seed,
        "processes": campaign.limits.procs,
        "start_method": campaign.method,
        "kill": campaign.limits.kill,
        "seconds": round(campaign.elapsed, 3),
        "operations": campaign.operations,
        "peak_bytes": describe.peak_bytes(),
        "machine": describe.describe(),
        "load": {
            "cpu_seconds_of_this_run": round(own, 2),
            "cpu_seconds_of_everybody": round(everybody, 2),
            "cpus": [asdict(cpu) for cpu in campaign.load.loads()],
        },
        "primitives": {t.name: _primitive(t) for t in campaign.tallies.values()},
    }


def _primitive(tally: Tally) -> dict[str, Any]:
    return {
        "verdict": tally.verdict,
        "operations": tally.operations,
        "operations_per_second": round(tally.rate),
        "rounds": tally.rounds,
        "running_seconds": round(tally.running, 3),
        "checking_seconds": round(tally.checking, 3),
        "killed": tally.killed,
        "rounds_with_weaker_claim": tally.weaker,
        "calls": tally.figures.as_dict(),
        "failures": [_failure(c) for c in [*tally.failures, *tally.unknown]],
    }


def _failure(checked: Checked) -> dict[str, Any]:
    return {
        "status": checked.status,
        "round": str(checked.about),
        "round_number": checked.about.number,
        "reason": checked.reason,
        "history": checked.history_file,
        "window": [op.to_json() for op in checked.window],
    }


# ---- the page ----


def _page(campaign: Campaign, results: dict[str, Any]) -> str:
    tallies = list(campaign.tallies.values())
    seconds = max(campaign.elapsed, BIN_NS / 1e9)
    return render(
        Path(__file__).parent / "page.html",
        results=results,
        verdict="UNKNOWN" if campaign.interrupted else campaign.verdict,
        tiles=_tiles(campaign, results),
        tallies=tallies,
        weaker=sum(t.weaker for t in tallies),
        failures=[_shown_failure(t, c) for t in tallies for c in [*t.failures, *t.unknown]],
        time_axis=charts.time_axis(seconds),
        throughput=[_throughput(t, seconds) for t in tallies],
        cpus=_cpus(campaign, seconds),
        percentiles=PERCENTILES,
        calls=[_calls(t) for t in tallies if t.figures.operations],
        machine=_machine(results),
    )


def _tiles(campaign: Campaign, results: dict[str, Any]) -> list[tuple[str, str]]:
    tallies = campaign.tallies.values()
    refused = sum(f.refused for t in tallies for f in t.figures.operations.values())
    pending = sum(f.pending for t in tallies for f in t.figures.operations.values())
    tiles = [
        (f"{campaign.operations:,}", "operations checked"),
        (f"{sum(t.rounds for t in tallies):,}", f"rounds, {campaign.limits.procs} processes each"),
        (f"{sum(t.running for t in tallies):.1f} s", f"running, of {campaign.elapsed:.1f} s in all"),
        (f"{sum(t.checking for t in tallies):.1f} s", "checking, beside it"),
        (f"{refused:,}", "refused calls, all checked"),
        (f"{results['peak_bytes'] / 2**20:,.0f} MiB", "largest process"),
    ]
    if campaign.limits.kill:
        tiles.append((f"{sum(t.killed for t in tallies)}", f"processes killed, {pending} calls left open"))
    return tiles


def _shown_failure(tally: Tally, checked: Checked) -> dict[str, str]:
    return {
        "primitive": tally.name,
        "status": checked.status,
        "about": str(checked.about),
        "reason": checked.reason,
        "window": columns(checked.window, checked.about.threads) if checked.window else "",
        "history": checked.history_file,
    }


def _throughput(tally: Tally, seconds: float) -> dict[str, Any]:
    """A lane: calls per second over the time of the run, of which the highest fills it."""
    wide = BIN_NS / 1e9
    rates = [(at * wide, (at + 1) * wide, count / wide) for at, count in sorted(tally.figures.bins.items())]
    peak = max((rate for *_, rate in rates), default=1.0)
    return {
        "name": tally.name,
        "bars": charts.lane(rates, seconds, peak, " calls/s"),
        "figure": f"up to {charts.short(peak)}/s" if rates else "",
        "detail": "",
    }


def _cpus(campaign: Campaign, seconds: float) -> list[dict[str, Any]]:
    """A lane for each processor: the share of the time that it was busy."""
    lanes = []
    places = {cpu.number: cpu.place() for cpu in topology.cpus()}
    for cpu in campaign.load.loads():
        begins = [0.0, *(at for at, _ in cpu.over_time)]
        steps = [(begin, at, busy * 100) for begin, (at, busy) in zip(begins, cpu.over_time, strict=False)]
        stolen = f", {cpu.steal:.0%} stolen by the host" if cpu.steal >= 0.01 else ""
        lanes.append(
            {
                "name": f"CPU {cpu.cpu}",
                "bars": charts.lane(steps, seconds, 100.0, "% busy"),
                "figure": f"{cpu.busy:.0%} busy",
                "detail": f"{places.get(cpu.cpu, '')}{cpu.user:.0%} user, {cpu.system:.0%} kernel{stolen}",
            }
        )
    return lanes


def _calls(tally: Tally) -> dict[str, Any]:
    operations = tally.figures.operations
    chart = charts.latency({name: f.curve() for name, f in operations.items() if f.latencies})
    known = load()
    meanings = known[tally.name].refusals if tally.name in known else {}
    return {
        "name": tally.name,
        "rows": [_row(name, f, meanings.get(name, ("refused", ""))[0]) for name, f in operations.items()],
        "refusals": [(name, *meanings[name]) for name, f in operations.items() if f.refused and name in meanings],
        "chart": chart,
    }


def _row(name: str, f: OperationFigures, refusal: str) -> dict[str, Any]:
    return {
        "name": name,
        "calls": f"{f.count:,}" + (f" ({f.pending} open)" if f.pending else ""),
        "refused": f.refused / max(1, f.count),
        "refusal": refusal if f.refused else "",
        "percentiles": [charts.duration(f.percentile(float(p) / 100)) for p in PERCENTILES],
        "longest": charts.duration(f.longest_ns),
    }


def _machine(results: dict[str, Any]) -> dict[str, str]:
    about, load_ = results["machine"], results["load"]
    return facts(results) | {
        "processor time": (
            f"{load_['cpu_seconds_of_this_run']:.1f} s by this run, of {load_['cpu_seconds_of_everybody']:.1f} s by all"
            f" on these processors ({results['seconds'] * about['usable_cpus']:.1f} s there were)"
            if load_["cpus"]
            else "not known"
        ),
        "processes": f"{results['processes']}, started by {results['start_method']}",
    }
