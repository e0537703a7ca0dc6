"""What a run leaves in `--out DIR`: results.json and report.html, each written whole or not at all."""

import datetime as dt
import html
import json
import os
import string
from pathlib import Path
from typing import Any

from lockfree.stress import charts, machine
from lockfree.stress.campaign import Campaign, Tally
from lockfree.stress.checking import Checked
from lockfree.stress.figures import OperationFigures
from lockfree.stress.window import columns

PERCENTILES = ("50", "90", "99", "99.9", "99.99")


def write(campaign: Campaign, out: Path, command: str = "") -> Path:
    """Writes both files; the path of the page."""
    out.mkdir(parents=True, exist_ok=True)
    results = _results(campaign, command)
    _write_whole(out / "results.json", json.dumps(results, indent=1) + "\n")
    page = string.Template((Path(__file__).parent / "page.html").read_text())
    _write_whole(out / "report.html", page.substitute(_parts(campaign, results)))
    return out / "report.html"


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part{os.getpid()}")
    try:
        part.write_text(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _results(campaign: Campaign, command: str) -> dict[str, Any]:
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
        "peak_bytes": machine.peak_bytes(),
        "machine": machine.describe(),
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


def _parts(campaign: Campaign, results: dict[str, Any]) -> dict[str, str]:
    tallies = list(campaign.tallies.values())
    return {
        "verdict": "UNKNOWN" if campaign.interrupted else campaign.verdict,
        "when": html.escape(results["when"]),
        "seed": str(results["seed"]),
        "command": f"<code>{html.escape(results['command'])}</code>",
        "tiles": _tiles(campaign, results),
        "table": _table(tallies),
        "failures": _failures(tallies),
        "throughput": charts.throughput({t.name: t.figures.bins for t in tallies}),
        "latencies": "".join(_latency(i, t) for i, t in enumerate(tallies) if t.figures.operations),
        "machine": _machine(results),
    }


def _tiles(campaign: Campaign, results: dict[str, Any]) -> str:
    tallies = campaign.tallies.values()
    refused = sum(f.refused for t in tallies for f in t.figures.operations.values())
    pending = sum(f.pending for t in tallies for f in t.figures.operations.values())
    tiles = [
        (f"{campaign.operations:,}", "operations checked"),
        (f"{sum(t.rounds for t in tallies):,}", f"rounds, {campaign.limits.procs} processes each"),
        (f"{sum(t.running for t in tallies):.1f} s", f"running, of {campaign.elapsed:.1f} s in all"),
        (f"{sum(t.checking for t in tallies):.1f} s", "checking, beside it"),
        (f"{refused:,}", "refusals, all checked"),
        (f"{results['peak_bytes'] / 2**20:,.0f} MiB", "largest process"),
    ]
    if campaign.limits.kill:
        tiles.append((f"{sum(t.killed for t in tallies)}", f"processes killed, {pending} calls open"))
    return "".join(f'<div class="tile"><b>{big}</b><span>{small}</span></div>' for big, small in tiles)


def _table(tallies: list[Tally]) -> str:
    head = ("primitive", "verdict", "processes", "operations checked", "operations/s", "rounds", "running", "checking")
    rows = []
    for i, t in enumerate(tallies):
        killed = f" ({t.killed} killed)" if t.killed else ""
        cells = [f"{t.procs}{killed}", f"{t.operations:,}", f"{t.rate:,.0f}"]
        cells += [f"{t.rounds}", f"{t.running:.1f} s", f"{t.checking:.1f} s"]
        rows.append(
            f'<tr><td>{charts.dot(i)} {t.name}</td><td><span class="badge {t.verdict}">{t.verdict}</span></td>'
            + "".join(f'<td class="n">{c}</td>' for c in cells)
            + "</tr>"
        )
    heads = "".join(f"<th{' class=n' if i > 1 else ''}>{h}</th>" for i, h in enumerate(head))
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>{_weaker(tallies)}"


def _weaker(tallies: list[Tally]) -> str:
    rounds = sum(t.weaker for t in tallies)
    if not rounds:
        return ""
    return (
        f'<p class="soft">In {rounds} rounds it was left open whether some order lets every batch fit into the capacity'
        " at every instant; the order, every EMPTY, and every FULL with the records in hand were decided.</p>"
    )


def _failures(tallies: list[Tally]) -> str:
    parts = []
    for tally in tallies:
        for checked in [*tally.failures, *tally.unknown]:
            window = columns(checked.window, checked.about.threads) if checked.window else ""
            parts.append(
                f'<div class="card"><h3><span class="badge {checked.status}">{checked.status}</span> {tally.name}</h3>'
                f'<p class="soft">{html.escape(str(checked.about))}</p><pre>{html.escape(checked.reason)}</pre>'
                + (f"<pre>{html.escape(window)}</pre>" if window else "")
                + (f"<p>History: <code>{html.escape(checked.history_file)}</code></p>" if checked.history_file else "")
                + "</div>"
            )
    return f"<h2>What went wrong</h2>{''.join(parts)}" if parts else ""


def _latency(index: int, tally: Tally) -> str:
    operations = tally.figures.operations
    rows = "".join(_latency_row(i, name, f) for i, (name, f) in enumerate(operations.items()))
    heads = "".join(f'<th class="n">{p}%</th>' for p in PERCENTILES)
    table = (
        f'<table><tr><th>call</th><th class="n">calls</th><th>refused</th>{heads}<th class="n">longest</th></tr>'
        f"{rows}</table>"
    )
    chart = charts.latency({name: f.curve() for name, f in operations.items() if f.latencies})
    return f'<div class="card"><h3>{charts.dot(index)} {tally.name}</h3>{table}{chart}</div>'


def _latency_row(index: int, name: str, f: OperationFigures) -> str:
    part = f.refused / max(1, f.count)
    bar = f'<span class="bar"><i style="width:{part * 100:.1f}%;background:var(--c{index % 8})"></i></span>'
    cells = "".join(f'<td class="n">{charts.duration(f.percentile(float(p) / 100))}</td>' for p in PERCENTILES)
    kind = {"put": " FULL", "get": " EMPTY"}.get(name, "")
    open_calls = f" ({f.pending} open)" if f.pending else ""
    return (
        f'<tr><td>{name}</td><td class="n">{f.count:,}{open_calls}</td><td>{bar} {part:.1%}{kind}</td>{cells}'
        f'<td class="n">{charts.duration(f.longest_ns)}</td></tr>'
    )


def _machine(results: dict[str, Any]) -> str:
    about = results["machine"]
    rows = {
        "processor": f"{about['cpu']}, {about['usable_cpus']} of {about['cpus']} usable",
        "memory": f"{about['memory_bytes'] / 2**30:.1f} GiB",
        "system": about["system"],
        "python": about["python"],
        "compiler": about["compiler"],
        "clock": f"{about['clock']}, {about['clock_ns']} ns a reading",
        "lockfree": about["lockfree"] + (f", commit {about['commit']}" if about["commit"] else ""),
        "processes": f"{results['processes']}, started by {results['start_method']}",
    }
    cells = "".join(f"<tr><th>{k}</th><td>{html.escape(str(v))}</td></tr>" for k, v in rows.items())
    return f"<table>{cells}</table>"
