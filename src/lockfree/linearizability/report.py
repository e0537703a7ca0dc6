"""A verdict for people: columns in the terminal, and the order that explains the part before the break."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lockfree.linearizability.operation import Operation
from lockfree.linearizability.words import show_answer, show_operation

if TYPE_CHECKING:
    from lockfree.linearizability.checker import Verdict

_SHOWN_MAX = 200


def columns(operations: Iterable[Operation], *, mark: int | None = None, width: int = 24) -> str:
    """One column per client, one line per call and per return; `mark` is the position of the operation at fault."""
    ops = list(operations)
    clients = sorted({o.client for o in ops})
    events = [(o.call, 0, i) for i, o in enumerate(ops)]
    events += [(o.return_, 1, i) for i, o in enumerate(ops) if o.return_ is not None]
    origin = min((o.call for o in ops), default=0)
    last = max((t for t, _, _ in events), default=origin) - origin
    unit, name, digits = (
        (1, "ns", 0) if last < 100_000 else (1_000, "µs", 3) if last < 100_000_000 else (1_000_000, "ms", 3)
    )
    lines = [f"  time ({name})  " + "".join(f"client {c}".ljust(width) for c in clients).rstrip()]
    for time, returns, i in sorted(events):
        o = ops[i]
        if returns:
            text = "└ " + (f"→ {show_answer(o)}" if show_answer(o) else "done")
        else:
            text = ("╶ " if o.return_ is None else "┌ ") + show_operation(o, answer=False)
            text += " … never returned here" if o.return_ is None else ""
        if i == mark and returns:
            text += "   ✗"
        lines.append(f"{(time - origin) / unit:>+11.{digits}f}  " + " " * (width * clients.index(o.client)) + text)
    return "\n".join(lines)


def render(verdict: "Verdict") -> str:
    """The whole verdict as text."""
    speed = f"{verdict.checked:,} operations in {verdict.seconds:.3f} s ({verdict.method})"
    if verdict.ok:
        return f"OK: linearizable as {verdict.spec}; {speed}"
    if verdict.status == "UNKNOWN":
        return f"UNKNOWN: {verdict.reason}; {speed}"
    lines = [f"VIOLATION of {verdict.spec}: {verdict.reason}", f"  {speed}"]
    if verdict.start:
        lines.append(f"  the operations below start from: {verdict.start}")
    left_out = max(0, len(verdict.operations) - _SHOWN_MAX)  # the break is at the end
    mark = verdict.indices.index(verdict.break_index) - left_out if verdict.break_index in verdict.indices else None
    if left_out:
        lines += ["", f"  … after {left_out:,} operations that are not shown"]
    lines += ["", columns(verdict.operations[left_out:], mark=mark)]
    return "\n".join(lines)
