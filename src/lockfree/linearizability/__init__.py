"""Decide whether a recorded history of any object is linearizable, and show why not.

    from lockfree.linearizability import check, History, Operation

    verdict = check("run.jsonl", "queue")               # JSON lines or the binary form, by content
    verdict = check(History.from_buffer(records), "bounded-queue:4,full=in-hand", timeout=10)
    verdict = check([Operation(0, "put", 1, True, 10, 20), Operation(1, "get", None, 1, 15, 30)], "queue")
    verdict.status      # "OK", "VIOLATION" or "UNKNOWN"; bool(verdict) is True only for OK
    verdict.reason      # in words
    verdict.operations  # the counterexample: the operations that show it, as Operation objects

Histories. One operation is `Operation(client, op, arg, result, call, return_, key=None, batch=0, ticket=None)`;
`call` and `return_` are integer nanoseconds of one clock, `return_=None` means that it never returned. Equal instants
overlap. A recorder in C fills arrays of `struct lf_history_op` (c/linearize/history.h, 56 bytes each);
`History.from_buffer` takes any buffer of them, or several, in any order.

Specifications (`parse_spec` lists the options):
`queue`, `bounded-queue:K`, `stack`, `priority-queue[:K]`, `register`, `counter`, `semaphore:N`, `mutex`, `rwlock`,
`set`, `map`, `block-pool[:N]`, `log`; with `,full=strict|in-hand|running`, `,empty=strict|in-flight`, `,ties=fifo|any`,
`,initial=V`, `,max=N`. Or an instance of a class of your own, see `Specification`.

A history that cannot be one (times that run backwards, a client in two operations at once) raises
`InvalidHistory` with the line. What cannot be decided within `timeout` or `memory` is UNKNOWN, never OK.
"""

from lockfree.linearizability.checker import Verdict, check
from lockfree.linearizability.history import History, InvalidHistory
from lockfree.linearizability.methods import UnknownCall
from lockfree.linearizability.operation import Operation
from lockfree.linearizability.proxy import record
from lockfree.linearizability.recorder import Recorder
from lockfree.linearizability.specs import Spec, Specification, parse_spec

__all__ = [
    "History", "InvalidHistory", "Operation", "Recorder", "Spec", "Specification", "UnknownCall", "Verdict", "check",
    "parse_spec", "record",
]  # fmt: skip
