"""The counterexample as one HTML file that needs nothing else: clients as rows, operations as bars."""

import json
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockfree.linearizability.report import order_before_break
from lockfree.linearizability.words import show_operation

if TYPE_CHECKING:
    from lockfree.linearizability.checker import Verdict
    from lockfree.linearizability.specs import Spec, Specification

_SHOWN_MAX = 2000


def _data(verdict: "Verdict", spec: "str | Spec | Specification") -> dict[str, Any]:
    order = order_before_break(verdict, spec)
    place = {i: k for k, i in enumerate(order, 1)}
    batches: dict[tuple[int, int], int] = {}
    operations = []
    for i, o in list(enumerate(verdict.operations))[-_SHOWN_MAX:]:  # the break is at the end
        lane = batches.get((o.client, o.batch), 0) if o.batch else 0
        batches[o.client, o.batch] = lane + 1
        operations.append(
            {
                "client": o.client,
                "text": show_operation(o),
                "call": o.call,
                "return": o.return_,
                "line": verdict.indices[i] + 1,
                "place": place.get(i, 0),
                "lane": lane,
                "broken": verdict.indices[i] == verdict.break_index,
            }
        )
    broken = [o["return"] for o in operations if o["broken"] and o["return"] is not None]
    return {
        "spec": verdict.spec,
        "reason": verdict.reason,
        "start": verdict.start,
        "order": bool(order),
        "break": broken[0] if broken else None,
        "operations": operations,
    }


def html(verdict: "Verdict", spec: "str | Spec | Specification") -> str:
    """The page for a VIOLATION. ValueError for other verdicts: they have no counterexample."""
    if verdict.status != "VIOLATION":
        raise ValueError(f"a verdict of {verdict.status} has no counterexample to show")
    template = files("lockfree.linearizability").joinpath("timeline.html").read_text(encoding="utf-8")
    # "</script>" inside a value must not end the element that holds it
    return template.replace("__DATA__", json.dumps(_data(verdict, spec)).replace("<", "\\u003c"))


def write_html(verdict: "Verdict", spec: "str | Spec | Specification", path: str | os.PathLike[str]) -> None:
    """Writes the page under another name and renames it when it is whole."""
    path = Path(path)
    part = path.with_name(path.name + f".part{os.getpid()}")
    try:
        part.write_text(html(verdict, spec), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
