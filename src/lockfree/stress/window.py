"""A counterexample as text, with a column for each client. Time goes down."""

from collections.abc import Sequence

from lockfree.linearizability import Operation

WIDTH = 22
MOST = 60
"""The last calls are shown, at most so many: the break is at the end."""
NOBODY, HELPERS = 1 << 15, 1 << 16
"""The first client numbers that stand for calls that nobody made, and for the parts of a batch."""


def _call(op: Operation) -> str:
    return op.op if op.arg is None else f"{op.op} {_value(op.arg)}"


def _answer(op: Operation) -> str:
    if op.result is None:
        return f"{op.op}: EMPTY" if op.op == "get" else f"{op.op}: nothing"
    if op.result is True:
        return f"{op.op}: done"
    if op.result is False:
        return f"{op.op}: " + {"put": "FULL", "acquire": "refused", "release": "refused"}.get(op.op, "no")
    return f"{op.op}: {_value(op.result)}"


def _value(value: object) -> str:
    """A value as text. The values of the rings consist of a client and a number: #client.number."""
    if isinstance(value, list | tuple):
        return ",".join(_value(v) for v in value)
    if isinstance(value, int) and value >> 40:
        return f"#{(value >> 40) - 1}.{value & (1 << 40) - 1}"
    return str(value)


def _head(client: int, threads: Sequence[int]) -> str:
    if client >= NOBODY:
        return "(a dead one's)" if client < HELPERS else f"client {client % HELPERS}, batch"
    process = [number for number, count in enumerate(threads) for _ in range(count)]
    return f"process {process[client]}, client {client}" if client < len(process) else f"client {client}"


def columns(operations: Sequence[Operation], threads: Sequence[int]) -> str:
    """The calls and returns of these operations, with a column for each client. `threads`: clients in each process."""
    left_out, operations = max(0, len(operations) - MOST), operations[-MOST:]
    clients = sorted({op.client for op in operations})
    heads = [_head(c, threads) for c in clients]
    events = [(op.call, 1, i) for i, op in enumerate(operations)]
    events += [(op.return_, 0, i) for i, op in enumerate(operations) if op.return_ is not None]
    start = min((at for at, _, _ in events), default=0)
    lines = ["       ns  " + "".join(head.ljust(WIDTH) for head in heads)]
    inside: set[int] = set()
    for at, begins, i in sorted(events, key=lambda e: (e[0], -e[1])):
        op = operations[i]
        cells = []
        for client in clients:
            if client == op.client:
                cells.append(f"┌ {_call(op)}" if begins else f"└ {_answer(op)}")
            else:
                cells.append("│" if client in inside else "")
        (inside.add if begins else inside.discard)(op.client)
        lines.append(f"{at - start:>9}  " + "".join(c.ljust(WIDTH) for c in cells).rstrip())
    if left_out:
        lines.insert(0, f"           … after {left_out:,} calls more; the history file has them")
    pending = [op for op in operations if op.return_ is None]
    lines += [f"           client {op.client}: {_call(op)} never returned" for op in pending]
    return "\n".join(lines)
