"""A failing execution as a picture: threads in columns, steps in rows, arrows for reads.

`dot` writes the graph for Graphviz; `page` an HTML page that needs nothing else.
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from lockfree._page import colours, scroll
from lockfree.modelcheck.runner import Report, Verdict
from lockfree.modelcheck.trace import Step, Trace

ROW, TOP, LEFT, CHARACTER, PAD, GAP = 30, 46, 16, 7.3, 10, 70
"""Pixels: between steps, above them, beside them, of a character, within a box, between columns."""
STYLE = """
:root { --rf: var(--series-0); --mo: var(--series-3); }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 1.5rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
.violation h2 { color: var(--bad); } .scroll { overflow-x: auto; }
.hint { display: none; color: var(--soft); text-align: right; margin: 0; } .more > .hint { display: block; }
pre, code, text { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12.5px; }
svg rect { fill: var(--card); stroke: var(--soft); } svg .bad rect { stroke: var(--bad); stroke-width: 2; }
svg text { fill: var(--ink); } svg .where { fill: var(--soft); } svg .bad text { fill: var(--bad); }
svg path { fill: none; } .po { stroke: var(--soft); } .rf { stroke: var(--rf); } .mo { stroke: var(--mo);
  stroke-dasharray: 5 4; }
.legend span { margin-right: 1.5rem; } .legend .rf { color: var(--rf); } .legend .mo { color: var(--mo); }
"""


def _identity(step: Step) -> str:
    return f"s{step.thread}_{step.index}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _threads(trace: Trace) -> list[int]:
    return sorted({*trace.threads, *(step.thread for step in trace.shown())})


def _title(trace: Trace, thread: int) -> str:
    state = trace.threads.get(thread, "")
    return f"T{thread}" + (
        f": {trace.failure if state == 'failed' else state}" if state not in ("", "finished") else ""
    )


def dot(report: Report) -> str:
    """The execution as a graph in the language of Graphviz. Empty for a report without one."""
    trace = report.trace
    if trace is None:
        return ""
    lines = [f"digraph {_quoted(report.client)} {{", '  node [shape=box, fontname="monospace"];']
    shown = trace.shown()
    for thread in _threads(trace):
        steps = [step for step in shown if step.thread == thread]
        lines.append(f"  subgraph cluster_{thread} {{ label={_quoted(_title(trace, thread))};")
        for step in steps:
            text = f"#{step.index} {trace.describe(step)}\n{trace.position(step.pc)}"
            lines.append(f"    {_identity(step)} [label={_quoted(text)}];".replace("\n", "\\n"))
        lines += [f"    {_identity(a)} -> {_identity(b)};" for a, b in pairwise(steps)]
        lines.append("  }")
    visible = {_identity(step) for step in shown}
    for pairs, style in (
        (trace.read_from(), 'color=darkgreen, fontcolor=darkgreen, label="rf"'),
        (trace.modification_order(), 'color=darkorange, fontcolor=darkorange, style=dashed, label="mo"'),
    ):
        lines += [
            f"  {_identity(a)} -> {_identity(b)} [constraint=false, {style}];"
            for a, b in pairs
            if {_identity(a), _identity(b)} <= visible and a.thread != b.thread
        ]
    return "\n".join([*lines, "}", ""])


class _Drawing:
    """Where everything stands."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.steps = trace, trace.shown()
        self.texts = [f"#{step.index} {trace.describe(step)}" for step in self.steps]
        self.left: dict[int, float] = {}
        self.width: dict[int, float] = {}
        x: float = LEFT
        for thread in _threads(trace):
            texts = [text for step, text in zip(self.steps, self.texts, strict=True) if step.thread == thread]
            self.left[thread] = x
            self.width[thread] = 2 * PAD + CHARACTER * max(map(len, [_title(trace, thread), *texts]))
            x += self.width[thread] + GAP
        self.right = x - GAP / 2
        places = [trace.position(step.pc) for step in self.steps]
        self.total = self.right + CHARACTER * max(map(len, places), default=0) + LEFT
        self.row = {_identity(step): number for number, step in enumerate(self.steps)}
        self.height = TOP + ROW * (len(self.steps) + 1)

    def y(self, step: Step) -> float:
        return TOP + ROW * self.row[_identity(step)] + ROW / 2

    def arrow(self, a: Step, b: Step, kind: str) -> str:
        """A curve from one box to another: straight across between columns, around the side within one."""
        if not {_identity(a), _identity(b)} <= set(self.row):
            return ""
        rightwards = self.left[a.thread] < self.left[b.thread]
        x1 = self.left[a.thread] + (self.width[a.thread] if rightwards or a.thread == b.thread else 0)
        x2 = self.left[b.thread] + (self.width[b.thread] if a.thread == b.thread or not rightwards else 0)
        bend = GAP / 2 if rightwards or a.thread == b.thread else -GAP / 2
        c2 = x2 + bend if a.thread == b.thread else x2 - bend
        y1, y2 = self.y(a) + (4 if kind == "mo" else 0), self.y(b) + (4 if kind == "mo" else 0)
        path = f"M{x1:.0f} {y1:.0f} C{x1 + bend:.0f} {y1:.0f} {c2:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
        return f'<path class="{kind}" d="{path}" marker-end="url(#{kind})"/>'

    def svg(self) -> str:
        parts = [
            f'<svg role="img" width="{self.total:.0f}" height="{self.height:.0f}"><defs>',
            *(
                f'<marker id="{kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
                f'orient="auto">'
                f'<path d="M0 0 L8 4 L0 8" class="{kind}"/></marker>'
                for kind in ("rf", "mo")
            ),
            "</defs>",
        ]
        for thread, x in self.left.items():
            bad = ' class="bad"' if self.trace.threads.get(thread) == "failed" else ""
            parts.append(f'<g{bad}><text x="{x:.0f}" y="24">{escape(_title(self.trace, thread))}</text></g>')
            parts.append(f'<path class="po" d="M{x + PAD:.0f} {TOP - 12} V{self.height - 8:.0f}"/>')
        last = {step.thread: step for step in self.steps}
        for step, text in zip(self.steps, self.texts, strict=True):
            x, y = self.left[step.thread], self.y(step)
            failed = self.trace.threads.get(step.thread) == "failed" and last[step.thread] is step
            where = escape(self.trace.position(step.pc))
            parts.append(
                f"<g{' class=' + chr(34) + 'bad' + chr(34) if failed else ''}>"
                f'<rect x="{x:.0f}" y="{y - 11:.0f}" width="{self.width[step.thread]:.0f}" height="22" rx="4"/>'
                f'<text x="{x + PAD:.0f}" y="{y + 4:.0f}">{escape(text)}</text></g>'
                f'<text class="where" x="{self.right:.0f}" y="{y + 4:.0f}">{where}</text>'
            )
        parts += [self.arrow(a, b, "rf") for a, b in self.trace.read_from() if a.thread != b.thread]
        parts += [self.arrow(a, b, "mo") for a, b in self.trace.modification_order() if a.thread != b.thread]
        return "".join([*parts, "</svg>"])


LEGEND = (
    '<p class="legend"><span>boxes: steps, in the order of the execution</span>'
    '<span class="rf">&#10230; read from another thread\'s store</span>'
    '<span class="mo">&#8674; next in modification order</span></p>'
)


def _wide(inside: str) -> str:
    """What scrolls by itself, with a hint that there is more."""
    hint = '<p class="hint" aria-hidden="true">more to the right: scroll sideways →</p>'
    return f'<div>{hint}<div class="scroll" tabindex="0">{inside}</div></div>'


def _section(report: Report, text: str) -> str:
    bad = report.verdict is Verdict.VIOLATION
    kind = f": {report.kind}" if report.kind else ""
    word = "OK (sampled)" if report.sampled else report.verdict.name
    parts = [
        f'<section class="{"violation" if bad else "other"}"><h2>{escape(report.client)}: {word}{escape(kind)}</h2>'
    ]
    if report.trace is not None and report.trace.shown():
        parts += [f"<p>{escape(report.message)}</p>", LEGEND]
        parts.append(_wide(_Drawing(report.trace).svg()))
        parts.append(f"<details><summary>as text</summary>{_wide(f'<pre>{escape(text)}</pre>')}</details>")
    else:
        parts.append(_wide(f"<pre>{escape(text)}</pre>"))
    return "".join([*parts, "</section>"])


def page(title: str, reports: Sequence[tuple[Report, str]]) -> str:
    """The reports, each with the text that the command prints, as an HTML page."""
    body = "".join(_section(report, text) for report, text in reports)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{colours()}{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}<script>{scroll()}</script></body></html>\n"
    )
