"""Random histories: a real sequential object run by several clients, then perhaps damaged."""

import random
from typing import Any

from lockfree.linearizability import Operation

from .brute import Model, model_of


def _call(spec: str, rng: random.Random, fresh: list[int], equal: bool, peeks: bool) -> tuple[str, Any, Any]:
    """(operation, argument, key) that a client of this object might call."""
    name = spec.split(",", maxsplit=1)[0].split(":", maxsplit=1)[0].removeprefix("bounded-")
    coin = rng.random() < 0.5
    fresh[0] += 1
    value = rng.randrange(2) if equal else fresh[0]
    n = rng.choice([1, 1, 1, 2])
    if peeks and name in ("queue", "priority-queue", "unordered-queue", "stack") and rng.random() < 0.3:
        return "peek", None, None
    if name in ("queue", "priority-queue", "unordered-queue"):
        put = "put_front" if "front=" in spec and rng.random() < 0.5 else "put"
        return (
            (put, value if name != "priority-queue" else (rng.randrange(3), value), None)
            if coin
            else ("get", None, None)
        )
    if name == "stack":
        return ("push", value, None) if coin else ("pop", None, None)
    if name == "register":
        kind = rng.choice(["write", "read", "read", "cas"] if equal or rng.random() < 0.5 else ["write", "read"])
        return (
            kind,
            value if kind == "write" else [rng.randrange(fresh[0]) or None, value] if kind == "cas" else None,
            None,
        )
    if name == "counter":
        return (
            ("fetch_add", rng.choice([1, 1, 2, -1] if equal else [1]), None)
            if rng.random() < 0.7
            else ("load", None, None)
        )
    if name == "semaphore":
        return ("acquire" if coin else "release"), n, None
    if name == "mutex":
        return ("acquire" if coin else "release"), None, None
    if name == "rwlock":
        return rng.choice(["read", "read", "write"]) + ("_acquire" if coin else "_release"), None, None
    if name == "set":
        return rng.choice(["add", "remove", "contains", "insert", "delete"]), rng.randrange(2), None
    if name == "map":
        kind = rng.choice(["put", "get", "get", "remove", "contains", "delete", "cas"])
        arg = rng.choice([value, value, None]) if kind == "put" else None
        return kind, [rng.randrange(fresh[0]) or None, value] if kind == "cas" else arg, rng.randrange(2)
    if name == "block-pool":
        return (
            ("alloc", rng.choice([None, 2]) if rng.random() < 0.2 else None, None)
            if coin
            else ("free", rng.randrange(3), None)
        )
    if name == "log":
        return ("append", value, None) if coin else ("read", None, rng.choice([None, None, 0, 1]))
    raise ValueError(spec)


def answer(model: Model, s: Any, op: Operation, rng: random.Random) -> tuple[Any, Any] | None:
    """(result, state after) of a correct object, or None if it cannot be called now."""
    options: list[Any] = [True, False, None, *range(-3, 12)]
    if op.op in ("get", "pop", "peek", "read", "alloc", "fetch_add", "load"):
        options = [None]
        flat = [s] if not isinstance(s, tuple | frozenset) else list(s)
        for x in flat:
            options += [
                model.shown(x) if op.op in ("get", "peek") and isinstance(x, tuple) else x,
                *(x if isinstance(x, tuple) else ()),
            ]
        options += list(range(4)) if op.op == "alloc" else []
        rng.shuffle(options)
        options = [x for x in options if x is not None] + [None]
    for result in options:
        for after in model.step(s, op._replace(result=result, return_=1)):
            return result, after
    return None


def history(
    spec: str, seed: int, *, ops: int = 7, clients: int = 3, equal: bool = False, damage: float = 0.8
) -> list[Operation]:
    """A history of about `ops` operations; with probability `damage` something in it is changed at random."""
    rng = random.Random(seed)
    model = model_of(spec)
    fresh = [0]
    clock, state = 0, model.init
    free_at = [0] * clients
    out: list[Operation] = []
    width = rng.choice([1, 4, 12])
    batches = rng.random() < 0.25
    batch = 0
    peeks = rng.random() < 0.2
    for _ in range(ops):
        clock += rng.randrange(1, 6)
        client = rng.randrange(clients)
        count = rng.randrange(2, 4) if batches and rng.random() < 0.4 else 1
        call = max(free_at[client], clock - rng.randrange(width + 1))
        clock = max(clock, call)
        ret = clock + rng.randrange(width + 1)
        batch += 1
        name, arg, key = _call(spec, rng, fresh, equal, peeks)
        for k in range(count):
            if k and spec in ("set", "map"):  # a batch may be about several elements
                arg, key = (rng.randrange(2), None) if spec == "set" else (arg, rng.randrange(2))
            elif k and name in ("put", "push", "write", "append") and not isinstance(arg, tuple):
                fresh[0] += 1
                arg = rng.randrange(2) if equal else fresh[0]
            elif k and isinstance(arg, tuple):
                fresh[0] += 1
                arg = (rng.randrange(3), rng.randrange(2) if equal else fresh[0])
            op = Operation(client, name, arg, None, call, ret, key, batch if count > 1 else 0)
            found = answer(model, state, op, rng)
            if found is None or (found[0] is False and name in ("release", "free") and rng.random() < 0.9):
                continue
            result, state = found
            out.append(op._replace(result=list(result) if isinstance(result, tuple) else result))
        free_at[client] = ret + rng.randrange(2)
    if rng.random() < 0.3 and out:
        _never_return(out, rng)
    if rng.random() < damage:
        for _ in range(rng.choice([1, 2, 4])):
            _damage(out, rng)
        out = [_sane(o) for o in out]
    if spec == "counter" and rng.random() < 0.3:  # some additions do not say what was there
        out = [o._replace(result=None) if o.op == "fetch_add" and rng.random() < 0.4 else o for o in out]
    return _in_any_order(out, rng)


def with_tickets(ops: list[Operation], seed: int) -> list[Operation]:
    """Some operations get tickets: in the order of their calls, or in no order at all."""
    rng = random.Random(seed)
    right, share = rng.random() < 0.5, rng.choice([0.5, 1])
    ticket = {i: k for k, i in enumerate(sorted(range(len(ops)), key=lambda i: ops[i].call))}
    return [
        o._replace(ticket=ticket[i] if right else rng.randrange(len(ops)))
        if o.op != "alloc" and not isinstance(o.arg or o.result, tuple | list) and rng.random() < share
        else o._replace(ticket=rng.randrange(9))
        if o.op == "cas"
        else o
        for i, o in enumerate(ops)
    ]


def _in_any_order(out: list[Operation], rng: random.Random) -> list[Operation]:
    """The file may hold operations in any order; only that of a batch means something."""
    if rng.random() < 0.3:
        return sorted(out, key=lambda o: o.call)
    shuffled = rng.sample(out, len(out))
    waiting: dict[tuple[int, int], list[Operation]] = {}
    for o in out:
        waiting.setdefault((o.client, o.batch), []).append(o)
    return [waiting[o.client, o.batch].pop(0) if o.batch else o for o in shuffled]


def _last_of_client(out: list[Operation]) -> list[int]:
    last: dict[int, int] = {}
    for i, o in enumerate(out):
        last[o.client] = i
    return [i for i in last.values() if not out[i].batch]


def _never_return(out: list[Operation], rng: random.Random) -> None:
    """Some clients die in their last operation."""
    for i in _last_of_client(out):
        if rng.random() < 0.5:
            out[i] = out[i]._replace(return_=None, result=None)


def _sane(o: Operation) -> Operation:
    """An operation that never returned has no result; one that did has an answer of its type."""
    if o.return_ is None:
        return o._replace(result=None)
    if o.op in ("fetch_add", "load"):
        return o if o.result is not None else o._replace(result=0)
    if o.result is None and o.op not in ("get", "pop", "peek", "read", "alloc"):
        return o._replace(result=True)
    return o._replace(result=True) if o.key is not None and o.op == "put" else o


def _damage(out: list[Operation], rng: random.Random) -> None:
    if not out:
        return
    i, j = rng.randrange(len(out)), rng.randrange(len(out))
    a, b = out[i], out[j]
    kind = rng.randrange(6)
    if kind <= 1 and a.op == b.op:
        out[i], out[j] = a._replace(result=b.result), b._replace(result=a.result)
    elif kind == 2 and a.return_ is not None:
        if a.op in ("get", "pop", "peek", "read", "alloc"):
            out[i] = a._replace(result=None if rng.random() < 0.5 else b.result if b.op == a.op else a.result)
        elif isinstance(a.result, bool) and a.op not in ("write", "append"):
            out[i] = a._replace(result=not a.result)
    elif kind == 3 and a.op in ("fetch_add", "load") and a.result is not None:
        out[i] = a._replace(result=a.result + rng.choice([-1, 1]))
    elif kind == 4 and not a.batch and a.return_ is not None:
        # a shorter interval
        call = rng.randrange(a.call, a.return_ + 1)
        out[i] = a._replace(call=call, return_=rng.randrange(call, a.return_ + 1))
    elif kind == 5 and a.op == b.op and a.arg is not None and b.arg is not None and a.op != "alloc":
        out[i], out[j] = a._replace(arg=b.arg), b._replace(arg=a.arg)
