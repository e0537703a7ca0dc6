"""Counterexamples in words and in columns."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lockfree.linearizability.history import History

_UNKNOWN = {
    1: "the time limit was reached",
    2: "the memory limit was reached",
    3: "cancelled",
    4: "the near-linear algorithm does not decide this history",
    5: "the specification failed",
    6: "more than 1024 operations are open at once",
}


def explain(history: "History", result: Any, spec: str) -> str:
    """The reason of a verdict in words; empty for OK."""
    if result.verdict == 0:
        return ""
    if result.verdict == 2:
        return _UNKNOWN.get(result.reason, f"reason {result.reason}")
    if result.break_op < len(history):
        return f"no order explains the answer of {history[result.break_op]} as {spec}"
    return f"not linearizable as {spec}"
