"""A verdict for people: columns in the terminal, and the order that explains the part before the break."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lockfree.linearizability.history import Operation
from lockfree.linearizability.words import show_answer, show_operation

if TYPE_CHECKING:
    from lockfree.linearizability.checker import Verdict
    from lockfree.linearizability.specs import Spec, Specification

_ORDER_MAX, _SHOWN_MAX = 60, 200


def columns(operations: Iterable[Operation], *, mark: int | None = None, width: int = 24) -> str:
    """One column per client, one line per call and per return; `mark` is the position of the operation at fault."""
    ops = list(operations)
    clients = sorted({o.client for o in ops})
    events = [(o.call, 0, i) for i, o in enumerate(ops)]
    events += [(o.return_, 1, i) for i, o in enumerate(ops) if o.return_ is not None]
    origin = min((o.call for o in ops), default=0)
    lines = ["  time (ns)  " + "".join(f"client {c}".ljust(width) for c in clients).rstrip()]
    for time, returns, i in sorted(events):
        o = ops[i]
        if returns:
            text = "└ " + (f"→ {show_answer(o)}" if show_answer(o) else "done")
        else:
            text = ("╶ " if o.return_ is None else "┌ ") + show_operation(o, answer=False)
            text += " … never returned here" if o.return_ is None else ""
        if i == mark and returns:
            text += "   ✗"
        lines.append(f"{time - origin:>+11}  " + " " * (width * clients.index(o.client)) + text)
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


def order_before_break(verdict: "Verdict", spec: "str | Spec | Specification") -> list[int]:
    """Positions in `verdict.operations`, in an order that explains everything that returned before the break.

    Empty if the counterexample is too long for this, or starts in the middle of a history.
    """
    from lockfree.linearizability.checker import check

    ops = verdict.operations
    if verdict.start or not ops or len(ops) > _ORDER_MAX or verdict.break_index not in verdict.indices:
        return []
    broken = verdict.indices.index(verdict.break_index)
    end = ops[broken].return_
    if end is None:
        return []
    at_fault = ops[broken].client
    shift = len(ops) + 1 - min(o.call for o in ops)
    rest = {
        i: o._replace(
            call=o.call + shift,
            return_=None if i == broken or o.return_ is None or o.return_ >= end else o.return_ + shift,
        )
        for i, o in enumerate(ops)
        if i == broken or o.call < end or (o.call == end and o.client != at_fault)  # the rest is after the break
    }
    rest = {i: o._replace(result=None) if o.return_ is None else o for i, o in rest.items()}
    if not check(rest.values(), spec, timeout=0.5, counterexample=False):
        return []
    order: list[int] = []
    done: list[Operation] = []
    while any(o.return_ is not None for o in rest.values()):
        horizon = min(o.return_ for o in rest.values() if o.return_ is not None)
        for i in sorted(rest, key=lambda i: (rest[i].return_ is None, rest[i].call)):
            if rest[i].call > horizon or any(rest[j].batch == rest[i].batch != 0 and j < i for j in rest):
                continue
            at = len(done)
            first = rest[i]._replace(call=at, return_=at if rest[i].return_ is not None else None, batch=0)
            if first.return_ is None:
                continue
            tried = [*done, first, *(o for j, o in rest.items() if j != i)]
            if check(tried, spec, timeout=0.5, counterexample=False):
                order.append(i)
                done.append(first)
                del rest[i]
                break
        else:
            return order
    return order
