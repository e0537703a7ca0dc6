"""Tables and pictures from the JSON of a run. README.md and docs/guides/comparison.md include the tables between marks."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs/guides/comparison.md")
PICTURES = ROOT / "docs/guides/pictures"
REASONS = Path(__file__).parent.parent / "reasons.toml"
MARK = re.compile(r"(<!-- measured: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
README = (
    "spsc_stream", "mpmc_stream_1p1c", "mpmc_stream_4p4c", "spsc_round_trip", "wake_mpmc", "mutex_alone", "semaphore_alone",
    "atomic_fetch_add", "c_1p1c", "c_4p4c", "c_lock_alone",
)  # fmt: skip
"""The columns of README.md, those of them that there are."""


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def cell(figure: dict[str, float] | None) -> str:
    """Median and range."""
    return f"{number(figure['median'])} ({number(figure['low'])}–{number(figure['high'])})" if figure else ""


def where(results: dict[str, Any]) -> str:
    about = results["machine"]
    line = f"{about['cpu']}, {about['topology']}; {about['system']}; {about['compiler']}; {about['python']}; "
    line += f"commit {about['commit']}; {results['when'][:10]}; {results['samples']} samples, {results['seconds']} s"
    return f"{line}. " + " ".join(f"{note[0].upper()}{note[1:]}." for note in results["notes"])


def summary(results: dict[str, Any], keys: tuple[str, ...] | None = None) -> str:
    """A row for each column that has both: ours, the best peer, the ratio."""
    lines = ["| | unit | ours | the best peer | ratio |", "|---|---|---|---|---|"]
    for key, column in results["columns"].items():
        if column["ratio"] is None or (keys is not None and key not in keys):
            continue
        ours, peer = (column["entries"][column[which]]["figure"]["median"] for which in ("our_best", "best_peer"))
        mine, theirs = f"{number(ours)} {column['our_best']}", f"{number(peer)} {column['best_peer']}"
        lines.append(f"| {column['title']} | {column['unit']} | {mine} | {theirs} | **{times(column['ratio'])}** |")
    return "\n".join(lines) + "\n"


def lost(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The columns that a peer wins in this run, by their keys."""
    return {
        key: column for key, column in results["columns"].items() if column["ratio"] is not None and column["ratio"] < 1
    }


def is_close(column: dict[str, Any]) -> bool:
    """Whether the samples of our best entry and of the best peer overlap, so that the run does not say who is faster."""
    ours, peer = (column["entries"][column[which]]["figure"] for which in ("our_best", "best_peer"))
    return bool(ours["low"] <= peer["high"] and peer["low"] <= ours["high"])


def read_reasons(path: Path = REASONS) -> list[dict[str, Any]]:
    """Each has `columns`, keys or beginnings of keys with a star, and `why`."""
    found: list[dict[str, Any]] = tomllib.loads(path.read_text())["reason"]
    return found


def matches(pattern: str, key: str) -> bool:
    return key == pattern or (pattern.endswith("*") and key.startswith(pattern[:-1]))


def unexplained(results: dict[str, Any], written: list[dict[str, Any]]) -> list[str]:
    """Keys of columns that a peer wins clearly, without a word why."""
    known = [pattern for reason in written for pattern in reason["columns"]]
    return [
        key
        for key, column in lost(results).items()
        if not is_close(column) and not any(matches(pattern, key) for pattern in known)
    ]


def why(results: dict[str, Any], written: list[dict[str, Any]]) -> str:
    """A line for each reason that this run calls for. A column has the first reason that names it."""
    left, lines = lost(results), []
    for reason in written:
        told = [key for key in left if any(matches(pattern, key) for pattern in reason["columns"])]
        if told:
            names = "; ".join(f"{left[key]['title']} (**{times(left[key]['ratio'])}**)" for key in told)
            lines.append(f"- {names}. {' '.join(reason['why'].split())}")
            left = {key: column for key, column in left.items() if key not in told}
    for column in left.values():
        said = (
            "The samples of both overlap, so this run does not say who is faster."
            if is_close(column)
            else "No reason is known."
        )
        lines.append(f"- {column['title']} (**{times(column['ratio'])}**). {said}")
    return "\n".join(lines or ["None in this run."]) + "\n"


def table(column: dict[str, Any]) -> str:
    """All entries of one column, the best first, and those that were not measured, with the reason."""
    better = "more" if column["more"] else "less"
    extras = list(dict.fromkeys(name for record in column["entries"].values() for name in record["extra"]))
    head = ["", f"{column['unit']}, {better} is better", *extras, "a line, ns", "times ours"]
    lines = [f"**{column['title']}**", "", f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    known = [(record["figure"]["median"], name) for name, record in column["entries"].items() if record["figure"]]
    ours = column["our_best"] and column["entries"][column["our_best"]]["figure"]["median"]
    for value, name in sorted(known, reverse=column["more"]):
        record = column["entries"][name]
        ratio = value / ours if ours and column["compares"] else None
        note = f" ({record['note']})" if record["note"] else ""
        shown = f"**{name}**" if record["ours"] else f"{name}{note}"
        more = [cell(record["extra"].get(extra)) for extra in extras]
        line = number(record["line_ns"]["median"]) if record["line_ns"] else ""
        lines.append(f"| {' | '.join([shown, cell(record['figure']), *more, line, times(ratio)])} |")
    for name, record in column["entries"].items():
        if why := record["skipped"] or (record["figure"] is None and "; ".join(record["failures"])):
            lines.append(
                f"| {name} | not measured: {' '.join(str(why).split()).replace('|', '/')} |" + " |" * (len(head) - 2)
            )
    return "\n".join(lines) + "\n"


def text(results: dict[str, Any]) -> str:
    parts = [where(results), *(table(column) for column in results["columns"].values()), summary(results)]
    return "\n".join(parts)


def fill(page: str, results: dict[str, Any]) -> str:
    """The page with what its marks name: `where`, `summary`, `readme`, `why`, or columns by prefix, as in spsc_*."""

    def made(mark: re.Match[str]) -> str:
        name = mark[2]
        if name == "where":
            body = f"{where(results)}\n"
        elif name in ("summary", "readme"):
            body = summary(results, README if name == "readme" else None)
        elif name == "why":
            body = why(results, read_reasons())
        else:
            fit = [column for key, column in results["columns"].items() if matches(name, key)]
            body = "\n".join(map(table, fit)) or "Not measured in this run.\n"
        return f"{mark[1]}{body}{mark[3]}"

    return MARK.sub(made, page)


def pages(results: dict[str, Any]) -> None:
    """Writes the tables into the pages, and the pictures beside them."""
    for path in PAGES:
        path.write_text(fill(path.read_text(), results))
    PICTURES.mkdir(exist_ok=True)
    for name, figure in _pictures(results):
        for kind in ("svg", "png"):
            figure.savefig(PICTURES / f"{name}.{kind}", metadata={"Date": None} if kind == "svg" else {}, dpi=90)


# ---- pictures ----


def _pictures(results: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "lockfree", "svg.fonttype": "none", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
                         "figure.constrained_layout.use": True})  # fmt: skip
    yield "ratios", _ratios(results)
    columns = results["columns"]
    streams = {
        key: columns[key]
        for key in ("spsc_stream", "mpmc_stream_1p1c", "mpmc_stream_2p2c", "mpmc_stream_4p4c")
        if key in columns
    }
    if streams:
        yield "streams", _bars(streams)
    native = {key: columns[key] for key in ("c_alone", "c_1p1c", "c_2p2c", "c_4p4c", "c_round_trip") if key in columns}
    if native:
        yield "native", _bars(native)
    cadence = {key: columns[key] for key in columns if key.startswith("cadence_")}
    if cadence:
        yield "cadence", _cadence(cadence)


def _ratios(results: dict[str, Any]) -> Any:
    from matplotlib.figure import Figure

    found = [
        (column["ratio"], column["title"], column["best_peer"])
        for column in results["columns"].values()
        if column["ratio"]
    ]
    found.sort()
    figure = Figure(figsize=(9, 0.9 + 0.27 * len(found)))
    axes = figure.subplots()
    places = range(len(found))
    axes.barh(
        places,
        [ratio - 1 for ratio, *_ in found],
        left=1,
        color=["#2563d8" if r >= 1 else "#c0398a" for r, *_ in found],
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="#1b1d21", linewidth=1)
    axes.set_yticks(places, [f"{title}  (peer: {peer})" for _, title, peer in found], fontsize=8)
    axes.set_xlabel("times as good as the best peer of the same run")
    axes.set_ylim(-0.7, len(found) - 0.3)
    return figure


def _bars(columns: dict[str, Any]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.6 + sum(0.5 + 0.26 * _known(c) for c in columns.values())))
    parts = figure.subplots(
        len(columns), 1, gridspec_kw={"height_ratios": [max(1, _known(c)) for c in columns.values()]}, squeeze=False
    )
    for [axes], column in zip(parts, columns.values(), strict=True):
        known = sorted(
            ((r["figure"], name, r["ours"]) for name, r in column["entries"].items() if r["figure"]),
            key=lambda row: row[0]["median"],
            reverse=not column["more"],
        )
        for place, (f, _, ours) in enumerate(known):
            axes.barh(place, f["median"], color="#2563d8" if ours else "#9aa3af")
            axes.plot([f["low"], f["high"]], [place, place], color="#1b1d21", linewidth=1)
        axes.set_yticks(range(len(known)), [name for _, name, _ in known], fontsize=8)
        axes.set_title(
            f"{column['title']}: {column['unit']}, {'more' if column['more'] else 'less'} is better",
            fontsize=10,
            loc="left",
        )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    return figure


def _known(column: dict[str, Any]) -> int:
    return sum(record["figure"] is not None for record in column["entries"].values())


def _cadence(columns: dict[str, Any]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.1 * len(columns)))
    for axes, column in zip(figure.subplots(len(columns), 1, squeeze=False)[:, 0], columns.values(), strict=True):
        for name, record in column["entries"].items():
            used = record["extra"].get("CPU of the receiver, %")
            if record["figure"] and used:
                at = (max(0.01, used["median"]), record["figure"]["median"])
                axes.scatter(*at, color="#2563d8" if record["ours"] else "#9aa3af")
                axes.annotate(name, at, fontsize=8, xytext=(4, 4), textcoords="offset points")
        for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
            scale("log", subs=(2, 5))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("{x:g}")
        axes.set_title(column["title"].split(":")[0], fontsize=10, loc="left")
        axes.set_ylabel("median latency, µs")
    axes.set_xlabel("CPU of the receiver, %")
    return figure
