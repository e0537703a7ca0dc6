"""A verdict as one HTML file that needs nothing else: clients as rows, operations as bars, orders with their states."""

import heapq
import json
import os
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockfree._command import write_whole
from lockfree._native.linearize import ffi
from lockfree._page import colours
from lockfree.linearizability.history import History
from lockfree.linearizability.operation import RECORD_BYTES
from lockfree.linearizability.orders import Order, Orders, before, explained, find_orders
from lockfree.linearizability.specs import Spec, parse_spec
from lockfree.linearizability.words import show_operation

if TYPE_CHECKING:
    from lockfree.linearizability.checker import Verdict
    from lockfree.linearizability.specs import Specification

_SHOWN_MAX = 2000  # operations of the page
_BEFORE, _AFTER = 300, 100  # operations around the break
_SEARCHED_MAX = 20_000  # operations that an order is looked for
_WHOLE = 300  # a history of so few is ordered as a whole, and not only its counterexample


def _calls(history: History) -> list[int]:
    ops, count = history._records()
    words = memoryview(ffi.buffer(ops, count * RECORD_BYTES)).cast("Q") if count else memoryview(b"").cast("Q")
    return words[:: RECORD_BYTES // 8].tolist()


def _shown(history: History, verdict: "Verdict", at: int | None) -> list[int]:
    """The operations of the page: the counterexample and what is around its end, or the beginning of the history."""
    calls = _calls(history)
    n = len(calls)
    if n <= _SHOWN_MAX:
        return list(range(n))
    if at is None:
        return heapq.nsmallest(_SHOWN_MAX, range(n), key=calls.__getitem__)
    core = sorted(verdict.indices, key=calls.__getitem__)[-_SHOWN_MAX:]  # the break is at the end
    before = heapq.nlargest(_BEFORE, (i for i in range(n) if calls[i] <= at), key=calls.__getitem__)
    after = heapq.nsmallest(_AFTER, (i for i in range(n) if calls[i] > at), key=calls.__getitem__)
    return sorted({*core, *before, *after})


def _break(history: History, verdict: "Verdict") -> int | None:
    """The instant at which no order goes on."""
    if verdict.status != "VIOLATION":
        return None
    if verdict.break_index is not None:
        returned = history[verdict.break_index].return_
        if returned is not None:
            return returned
    return verdict.end or max((o.return_ or o.call for o in verdict.operations), default=None)


def _orders(history: History, verdict: "Verdict", spec: "Spec | Specification") -> Orders:
    if verdict.status == "UNKNOWN":
        return Orders()
    if verdict.status == "OK":
        return explained(history, spec, most=_SHOWN_MAX)
    if len(history) <= _WHOLE:
        return find_orders(history, range(len(history)), spec)
    at, broken = _break(history, verdict), -1 if verdict.break_index is None else verdict.break_index
    early = before(history, broken, at, spec) if at is not None and len(history) <= _SEARCHED_MAX else Orders()
    if early.orders:
        return early
    core = find_orders(history, verdict.indices, spec, start=verdict.state, end=verdict.end)
    return core if core.orders or len(history) > _SEARCHED_MAX else find_orders(history, range(len(history)), spec)


def _lanes(history: History, shown: Iterable[int]) -> dict[int, int]:
    """The operations of one batch lie under each other."""
    lanes: dict[int, int] = {}
    used: dict[tuple[int, int], int] = {}
    for i in shown:
        o = history[i]
        if o.batch:
            lanes[i] = used.get((o.client, o.batch), 0)
            used[o.client, o.batch] = lanes[i] + 1
    return lanes


def _data(verdict: "Verdict", spec: "str | Spec | Specification", history: History) -> dict[str, Any]:
    spec = parse_spec(spec) if isinstance(spec, str) else spec
    at = _break(history, verdict)
    shown = _shown(history, verdict, at)
    orders, lanes, core = _orders(history, verdict, spec), _lanes(history, shown), set(verdict.indices)
    place = {i: k for k, i in enumerate(shown)}
    operations = []
    for i in shown:
        o = history[i]
        operations.append(
            {
                "client": o.client,
                "text": show_operation(o),
                "call": o.call,
                "return": o.return_,
                "line": history.line(i),
                "lane": lanes.get(i, 0),
                "core": i in core,
                "broken": i == verdict.break_index,
                "order": orders.of.get(i, -1),
            }
        )
    return {
        "status": verdict.status,
        "spec": verdict.spec,
        "reason": verdict.reason,
        "start": verdict.start,
        "total": len(history),
        "clock": history.has_clock,
        "break": at,
        "operations": operations,
        "complete": orders.complete,
        "orders": [
            {
                "operations": [place.get(i, -1) for i in o.operations[skipped:]],
                "states": [_short(s) for s in o.states[skipped:]],
                "before": _short(o.states[skipped - 1] if skipped else o.before),
                "skipped": skipped,
                "whole": o.whole,
                "object": o.object,
            }
            for o, skipped in ((o, _skipped(o, place)) for o in orders.orders)
        ],
    }


def _skipped(order: Order, place: dict[int, int]) -> int:
    """How many at its beginning the page leaves out: before the first that it shows, or of a long one."""
    shown = next((k for k, i in enumerate(order.operations) if i in place), 0)
    return max(shown, len(order.operations) - _SHOWN_MAX)


def _short(text: str, most: int = 240) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def html(verdict: "Verdict", spec: "str | Spec | Specification", history: "History | None" = None) -> str:
    """The page. Without the history it shows the counterexample alone; ValueError if there is none."""
    if history is None:
        if verdict.status != "VIOLATION":
            raise ValueError(f"a verdict of {verdict.status} has no counterexample to show: give the history")
        verdict, history = _alone(verdict)
    template = files("lockfree.linearizability").joinpath("timeline.html").read_text(encoding="utf-8")
    # "</script>" inside a value must not end the element that holds it
    template = template.replace("/*COLOURS*/", colours("dark"))
    return template.replace("__DATA__", json.dumps(_data(verdict, spec, history)).replace("<", "\\u003c"))


def _alone(verdict: "Verdict") -> "tuple[Verdict, History]":
    """The counterexample as a history of its own."""
    from dataclasses import replace

    place = {i: k for k, i in enumerate(verdict.indices)}
    at = None if verdict.break_index is None else place.get(verdict.break_index)
    history = History.from_operations(
        o if o.return_ is not None else o._replace(client=_free(verdict, k)) for k, o in enumerate(verdict.operations)
    )
    history._lines = [i + 1 for i in verdict.indices]
    alone = replace(verdict, indices=list(range(len(history))), break_index=at, state=())
    return alone, history


def _free(verdict: "Verdict", k: int) -> int:
    """The client of an operation that is open at the end, or another number if it went on after it."""
    o = verdict.operations[k]
    later = any(x.client == o.client and x.call > o.call for x in verdict.operations)
    return o.client if not later else max(x.client for x in verdict.operations) + 1 + k


def write_html(
    verdict: "Verdict",
    spec: "str | Spec | Specification",
    path: str | os.PathLike[str],
    history: "History | None" = None,
) -> None:
    """Writes the page whole or not at all; a device or a pipe as it is."""
    write_whole(Path(path), html(verdict, spec, history))
