"""RC11 by its axioms, without any cleverness: the oracle that the model checker is held against.

All reads-from maps and modification orders of a small straight-line program are tried, and each candidate
is judged by the definitions of Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing sequential consistency in
C/C++11", PLDI 2017, section 3, and by WG21 P1202 for asymmetric fences. Nothing here is shared with the checker's runtime.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

STRENGTH = {
    "rlx": set(),
    "acq": {"acq"},
    "rel": {"rel"},
    "ar": {"acq", "rel"},
    "sc": {"acq", "rel", "sc"},
    "light": {"light"},
    "heavy": {"acq", "rel", "sc", "heavy"},
}


@dataclass(frozen=True)
class Op:
    """kind: r (load), w (store), add (fetch_add), xchg, cas (expected, value), f (fence; light, or heavy: membarrier)."""

    kind: str
    loc: str = ""
    order: str = "rlx"
    value: int = 0
    expected: int = 0


@dataclass
class Event:
    tid: int
    kind: str  # R, W, F
    loc: str
    order: str
    op: Op | None
    value: int = 0
    rmw_of: int = -1  # W: the R event of the same operation


Rel = list[int]  # row i: bit j set when i -> j


def compose(a: Rel, b: Rel) -> Rel:
    out = []
    for row in a:
        acc = 0
        while row:
            low = row & -row
            acc |= b[low.bit_length() - 1]
            row ^= low
        out.append(acc)
    return out


def union(*rels: Rel) -> Rel:
    return [_or(rows) for rows in zip(*rels, strict=True)]


def _or(rows: tuple[int, ...]) -> int:
    acc = 0
    for row in rows:
        acc |= row
    return acc


def inverse(a: Rel) -> Rel:
    n = len(a)
    return [sum(1 << i for i in range(n) if a[i] >> j & 1) for j in range(n)]


def closure(a: Rel) -> Rel:
    out = list(a)
    for k in range(len(a)):
        for i in range(len(a)):
            if out[i] >> k & 1:
                out[i] |= out[k]
    return out


def identity(n: int, keep: int = -1) -> Rel:
    return [(1 << i) & keep for i in range(n)]


def irreflexive(a: Rel) -> bool:
    return not any(row >> i & 1 for i, row in enumerate(a))


def consistent(events: list[Event], po: Rel, rf: Rel, mo: Rel, rmw: Rel, *, c20: bool = False) -> bool:
    n = len(events)
    ident = identity(n)

    def only(predicate) -> Rel:  # noqa: ANN001
        return identity(n, sum(1 << i for i, e in enumerate(events) if predicate(e)))

    def option(a: Rel) -> Rel:
        return union(a, ident)

    def restrict(a: Rel, keep) -> Rel:  # noqa: ANN001
        return [sum(1 << j for j in range(n) if a[i] >> j & 1 and keep(events[i], events[j])) for i in range(n)]

    same_loc = lambda a, b: a.loc == b.loc and a.loc != ""  # noqa: E731
    other_loc = lambda a, b: not same_loc(a, b)  # noqa: E731
    has = lambda what: only(lambda e: what in STRENGTH[e.order])  # noqa: E731
    writes, reads, fences = (only(lambda e, k=k: e.kind == k) for k in "RWF"[1] + "RWF"[0] + "RWF"[2])

    if not irreflexive(closure(union(po, rf))):
        return False
    rb = compose(inverse(rf), mo)
    if any(a & b for a, b in zip(rmw, compose(rb, mo), strict=True)):
        return False
    po_loc = restrict(po, same_loc)
    head = writes if c20 else compose(compose(writes, option(po_loc)), writes)
    steps = closure(compose(rf, rmw))
    rs = compose(head, option(steps))
    sw = compose(has("rel"), option(compose(fences, po)))
    sw = compose(compose(compose(sw, rs), rf), reads)
    sw = compose(compose(sw, option(compose(po, fences))), has("acq"))
    hb = closure(union(po, sw))
    eco = union(rf, compose(mo, option(rf)), compose(rb, option(rf)))
    if not irreflexive(hb) or not irreflexive(compose(hb, eco)):
        return False
    po_other = restrict(po, other_loc)
    scb = union(po, compose(compose(po_other, hb), po_other), restrict(hb, same_loc), mo, rb)
    sc = has("sc")
    sc_fence = compose(sc, fences)
    base = compose(compose(union(sc, compose(sc_fence, option(hb))), scb), union(sc, compose(option(hb), sc_fence)))
    between = compose(compose(sc_fence, union(hb, compose(compose(hb, eco), hb))), sc_fence)
    across = union(hb, compose(compose(hb, eco), hb))
    there_and_back = compose(compose(compose(compose(has("light"), across), has("heavy")), across), has("light"))
    return irreflexive(closure(union(base, between))) and irreflexive(there_and_back)


def _expand(threads: list[list[Op]], fails: tuple[bool, ...]) -> list[Event]:
    locs = sorted({op.loc for ops in threads for op in ops if op.loc})
    events = [Event(-1, "W", loc, "rlx", None) for loc in locs]
    cas_number = 0
    for tid, ops in enumerate(threads):
        for op in ops:
            if op.kind == "f":
                events.append(Event(tid, "F", "", op.order, op))
            elif op.kind == "w":
                events.append(Event(tid, "W", op.loc, op.order, op, op.value))
            else:
                failed = False
                if op.kind == "cas":
                    failed = fails[cas_number]
                    cas_number += 1
                order = op.order
                if failed:  # the failure order that the test programs give
                    order = {"ar": "acq", "rel": "rlx"}.get(order, order)
                events.append(Event(tid, "R", op.loc, order, op))
                if op.kind != "r" and not failed:
                    events.append(Event(tid, "W", op.loc, op.order, op, 0, len(events) - 1))
    return events


def executions(threads: list[list[Op]], *, c20: bool = False) -> list[str]:
    """The outcome of every consistent execution graph of the program, graph by graph.

    An outcome names each read as T<thread>.<n>=value in program order, then each location's final value.
    """
    cas_count = sum(op.kind == "cas" for ops in threads for op in ops)
    found = []
    for fails in itertools.product((False, True), repeat=cas_count):
        events = _expand(threads, fails)
        n = len(events)
        po = [
            sum(
                1 << j
                for j in range(n)
                if j != i and (events[i].tid == -1 != events[j].tid or (events[i].tid == events[j].tid != -1 and i < j))
            )
            for i in range(n)
        ]
        rmw = [0] * n
        for i, e in enumerate(events):
            if e.rmw_of >= 0:
                rmw[e.rmw_of] |= 1 << i
        stores = {e.loc: [i for i, w in enumerate(events) if w.kind == "W" and w.loc == e.loc] for e in events if e.loc}
        loads = [i for i, e in enumerate(events) if e.kind == "R"]
        orders = [[(ws[0], *rest) for rest in itertools.permutations(ws[1:])] for ws in stores.values()]
        for choice in itertools.product(*(stores[events[r].loc] for r in loads)):
            rf = [0] * n
            for r, w in zip(loads, choice, strict=True):
                rf[w] |= 1 << r
            values = _values(events, dict(zip(loads, choice, strict=True)), fails)
            if values is None:
                continue
            for order in itertools.product(*orders):
                mo = [0] * n
                for ws in order:
                    for a, b in itertools.combinations(ws, 2):
                        mo[a] |= 1 << b
                if consistent(events, po, rf, mo, rmw, c20=c20):
                    found.append(_outcome(events, loads, values, order))
    return found


def _values(events: list[Event], rf: dict[int, int], fails: tuple[bool, ...]) -> list[int] | None:
    """The value of each event, or None if they make no sense (a cycle, a compare-and-swap that lies)."""
    values: list[int | None] = [e.value if e.kind == "W" and e.rmw_of < 0 else None for e in events]
    changed = True
    while changed:
        changed = False
        for i, e in enumerate(events):
            if values[i] is not None or e.kind == "F":
                continue
            if e.kind == "R" and values[rf[i]] is not None:
                values[i] = values[rf[i]]
                changed = True
            elif e.kind == "W" and values[e.rmw_of] is not None:
                old = values[e.rmw_of]
                assert old is not None
                assert e.op is not None
                values[i] = old + e.op.value if e.op.kind == "add" else e.op.value
                changed = True
    number = 0
    for i, e in enumerate(events):
        if e.kind == "R" and values[i] is None:
            return None
        if e.kind == "R" and e.op is not None and e.op.kind == "cas":
            if (values[i] != e.op.expected) != fails[number]:
                return None
            number += 1
    return [0 if v is None else v for v in values]


def _outcome(events: list[Event], loads: list[int], values: list[int], order: tuple[tuple[int, ...], ...]) -> str:
    parts, seen = [], dict.fromkeys(range(16), 0)
    for r in loads:
        tid = events[r].tid
        parts.append(f"T{tid + 1}.{seen[tid]}={values[r]}")
        seen[tid] += 1
    for ws in sorted(order, key=lambda ws: events[ws[0]].loc):
        parts.append(f"{events[ws[-1]].loc}={values[ws[-1]]}")
    return " ".join(parts)


ORDERS_C = {"rlx": "relaxed", "acq": "acquire", "rel": "release", "ar": "acq_rel", "sc": "seq_cst"}
FENCE_C = {"light": "atomic_signal_fence(memory_order_seq_cst);", "heavy": "syscall(SYS_membarrier, 2, 0, 0);"}
FAILURE_C = {"rlx": "relaxed", "acq": "acquire", "rel": "relaxed", "ar": "acquire", "sc": "seq_cst"}


def client(name: str, threads: list[list[Op]]) -> str:
    """The program as a client in C that observes what executions() names."""
    locs = sorted({op.loc for ops in threads for op in ops if op.loc})
    lines = [f"static atomic_int {name}_{loc};" for loc in locs]
    read_names = []
    for tid, ops in enumerate(threads):
        body = []
        number = 0
        for op in ops:
            at, order = f"&{name}_{op.loc}", f"memory_order_{ORDERS_C.get(op.order)}"
            target = f"{name}_r{tid}_{number}"
            if op.kind == "f" and op.order in FENCE_C:
                body.append(FENCE_C[op.order])
                continue
            if op.kind == "f":
                body.append(f"atomic_thread_fence({order});")
                continue
            if op.kind == "w":
                body.append(f"atomic_store_explicit({at}, {op.value}, {order});")
                continue
            if op.kind == "r":
                body.append(f"{target} = atomic_load_explicit({at}, {order});")
            elif op.kind == "add":
                body.append(f"{target} = atomic_fetch_add_explicit({at}, {op.value}, {order});")
            elif op.kind == "xchg":
                body.append(f"{target} = atomic_exchange_explicit({at}, {op.value}, {order});")
            else:
                failure = f"memory_order_{FAILURE_C[op.order]}"
                body.append(
                    f"{target} = {op.expected}; "
                    f"atomic_compare_exchange_strong_explicit({at}, &{target}, {op.value}, {order}, {failure});"
                )
            read_names.append((f"T{tid + 1}.{number}", target))
            number += 1
        lines.append(f"static void {name}_t{tid}(void) {{ {' '.join(body)} }}")
    lines[:0] = [f"static int {target};" for _, target in read_names]
    observed = [f'lf_model_observe("{label}", (unsigned){target});' for label, target in read_names]
    observed += [
        f'lf_model_observe("{loc}", (unsigned)atomic_load_explicit(&{name}_{loc}, memory_order_relaxed));'
        for loc in locs
    ]
    lines.append(f"static void {name}_final(void) {{ {' '.join(observed)} }}")
    functions = ", ".join(f"{name}_t{tid}" for tid in range(len(threads)))
    lines.append(f"LF_MODEL_CLIENT({name}, .threads = {{{functions}}}, .final = {name}_final);")
    return "\n".join(lines)


def source(programs: dict[str, list[list[Op]]]) -> str:
    head = '#include <stdatomic.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n#include "lockfree_model.h"\n'
    return head + "\n".join(client(name, threads) for name, threads in programs.items())
