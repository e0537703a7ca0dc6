"""The slow, plain truth: every order, tried. Independent of the engine; the histories must be small.

A run of the object is a walk over the recorded events (calls and returns) with the effects of the operations
placed between them. `Model.step` says which states an effect leads to. Nothing here is clever on purpose.
"""

from collections.abc import Iterable
from typing import Any

from lockfree.linearizability import Operation

ANY = object()


def result_of(op: Operation) -> Any:
    return ANY if op.return_ is None else op.result


def fits(op: Operation, result: Any) -> bool:
    return op.return_ is None or op.result == result


class Model:
    init: Any = ()

    def step(self, s: Any, op: Operation) -> Iterable[Any]:
        raise NotImplementedError

    def shown(self, item: Any) -> Any:
        """What a get answers that takes this item of the state."""
        return list(item)


class Queue(Model):
    def __init__(self, capacity: int = 0) -> None:
        self.capacity = capacity

    def take(self, s: tuple, op: Operation) -> Iterable[Any]:
        if s and fits(op, s[0]):
            yield s[1:]

    def look(self, s: tuple, op: Operation) -> Iterable[Any]:
        if op.return_ is None or any(True for _ in self.take(s, op)):
            yield s

    def full(self, s: tuple) -> bool:
        return bool(self.capacity) and len(s) == self.capacity

    def step(self, s: tuple, op: Operation) -> Iterable[Any]:
        if op.op in ("put", "push"):
            if self.full(s):
                if op.result is False:
                    yield s
            elif op.result is not False:
                yield self.insert(s, op.arg)
        elif op.return_ is not None and op.result is None:
            if not s:
                yield s
        elif op.op == "peek":
            yield from self.look(s, op)
        else:
            yield from self.take(s, op)

    def insert(self, s: tuple, value: Any) -> tuple:
        return (*s, value)


class Stack(Queue):
    def take(self, s: tuple, op: Operation) -> Iterable[Any]:
        if s and fits(op, s[-1]):
            yield s[:-1]


class Priority(Queue):
    def __init__(self, capacity: int = 0, *, any_tie: bool = False) -> None:
        super().__init__(capacity)
        self.any_tie = any_tie

    def insert(self, s: tuple, value: Any) -> tuple:
        return tuple(sorted((*s, tuple(value)), key=lambda pair: pair if self.any_tie else pair[0]))

    def take(self, s: tuple, op: Operation) -> Iterable[Any]:
        for i, pair in enumerate(s):
            if pair[0] != s[0][0] or (i and not self.any_tie):
                break
            if op.return_ is None or op.result == list(pair):
                yield s[:i] + s[i + 1 :]


class Fronts(Priority):
    """An item is (line, value): of priority p, 2 p what was put in front, 2 p + 1 the rest."""

    def step(self, s: tuple, op: Operation) -> Iterable[Any]:
        if op.op in ("put", "put_front") and op.arg is not None:
            op = op._replace(op="put", arg=(2 * op.arg[0] + (op.op == "put"), op.arg[1]))
        return super().step(s, op)

    def take(self, s: tuple, op: Operation) -> Iterable[Any]:
        if s and (op.return_ is None or op.result == self.shown(s[0])):
            yield s[1:]

    def shown(self, item: Any) -> Any:
        return [item[0] // 2, item[1]]


class Bag(Queue):
    def insert(self, s: tuple, value: Any) -> tuple:
        return tuple(sorted((*s, value), key=repr))

    def take(self, s: tuple, op: Operation) -> Iterable[Any]:
        for i, value in enumerate(s):
            if fits(op, value):
                yield s[:i] + s[i + 1 :]


class Register(Model):
    def __init__(self, init: Any = None) -> None:
        self.init = init

    def step(self, s: Any, op: Operation) -> Iterable[Any]:
        if op.op == "write":
            yield op.arg
        elif op.op == "read":
            if fits(op, s):
                yield s
        else:
            old, new = op.arg
            if s == old:
                if op.result is not False:
                    yield new
            elif op.result is False or op.return_ is None:
                yield s


class Counter(Model):
    init = 0

    def step(self, s: int, op: Operation) -> Iterable[Any]:
        if fits(op, s) or (op.op == "fetch_add" and op.result is None):
            yield s + (op.arg or 0) if op.op == "fetch_add" else s


class Semaphore(Model):
    def __init__(self, init: int, limit: int = 0) -> None:
        self.init = init
        self.limit = limit

    def step(self, s: int, op: Operation) -> Iterable[Any]:
        n = 1 if op.arg is None else op.arg
        after = s - n if op.op == "acquire" else s + n
        ok = after >= 0 and (op.op == "acquire" or not self.limit or after <= self.limit)
        if ok and op.result is not False:
            yield after
        if not ok and op.result is False:
            yield s


class Mutex(Model):
    init = None

    def step(self, s: Any, op: Operation) -> Iterable[Any]:
        if op.op == "acquire":
            if s is None and op.result is not False:
                yield op.client
            if s is not None and op.result is False:
                yield s
        else:
            if s == op.client and op.result is not False:
                yield None
            if s != op.client and op.result is False:
                yield s


class RWLock(Model):
    init = ((), None)

    def step(self, s: Any, op: Operation) -> Iterable[Any]:
        readers, writer = s
        failed = op.result is False
        if op.op == "read_acquire":
            ok = writer is None
            after = (tuple(sorted((*readers, op.client))), writer)
        elif op.op == "write_acquire":
            ok = writer is None and not readers
            after = (readers, op.client)
        elif op.op == "read_release":
            ok = op.client in readers
            rest = list(readers)
            if ok:
                rest.remove(op.client)
            after = (tuple(rest), writer)
        else:
            ok = writer == op.client
            after = (readers, None)
        if ok != failed:
            yield s if failed else after


class Set(Model):
    init = frozenset()

    def step(self, s: frozenset, op: Operation) -> Iterable[Any]:
        x = (op.key, op.arg)
        inside = x in s
        after = s | {x} if op.op in ("add", "insert") else s - {x} if op.op in ("remove", "delete") else s
        truth = not inside if op.op == "add" else inside
        if op.return_ is None or op.result == truth or op.op in ("insert", "delete"):
            yield after


class Map(Model):
    init = frozenset()

    def step(self, s: frozenset, op: Operation) -> Iterable[Any]:
        d = dict(s)
        if op.op == "put":
            d[op.key] = op.arg
            yield frozenset(d.items())
        elif op.op == "get":
            if fits(op, d.get(op.key)):
                yield s
        elif op.op == "contains":
            if fits(op, op.key in d):
                yield s
        elif op.op == "cas":
            if d.get(op.key) == op.arg[0] and op.result is not False:
                d[op.key] = op.arg[1]
                yield frozenset(d.items())
            elif d.get(op.key) != op.arg[0] and (op.result is False or op.return_ is None):
                yield s
        else:
            present = op.key in d
            d.pop(op.key, None)
            if op.return_ is None or op.result == present or op.op == "delete":
                yield frozenset(d.items())


class Pool(Model):
    """A pending alloc holds some block, nobody knows which ("?"): it counts, and may be freed as any."""

    def __init__(self, blocks: int = 0) -> None:
        self.blocks = blocks

    def step(self, s: tuple, op: Operation) -> Iterable[Any]:
        room = not self.blocks or len(s) < self.blocks
        if op.op == "alloc":
            if op.return_ is None:
                if room:
                    yield tuple(sorted((*s, "?"), key=str))
            elif op.result is None:
                if self.blocks and len(s) + max(1, op.arg or 1) > self.blocks:
                    yield s
            elif room and op.result not in s:
                yield tuple(sorted((*s, op.result), key=str))
        elif op.result is False:
            if op.arg not in s:
                yield s
        else:
            rest = list(s)
            for x in (op.arg, "?"):
                if x in rest:
                    rest.remove(x)
                    yield tuple(rest)
                    break


class Log(Model):
    init = ((), ())

    def step(self, s: Any, op: Operation) -> Iterable[Any]:
        log, positions = s
        if op.op == "append":
            yield ((*log, op.arg), positions)
            return
        at = dict(positions)
        me = ("key", op.key) if op.key is not None else ("client", op.client)
        i = at.get(me, 0)
        if op.return_ is not None and op.result is None:
            if i == len(log):
                yield s
        elif i < len(log) and fits(op, log[i]):
            at[me] = i + 1
            yield (log, tuple(sorted(at.items())))


def model_of(spec: str) -> Model:
    head, *options = spec.split(",")
    name, _, n = head.removeprefix("bounded-").partition(":")
    k = int(n or 0)
    opt = dict(o.split("=") for o in options)
    if name == "semaphore":
        return Semaphore(k, int(opt.get("max", 0)))
    if name == "priority-queue" and "front" in opt:
        return Fronts(k)
    if name == "priority-queue":
        return Priority(k, any_tie=opt.get("ties") == "any")
    if name == "register":
        return Register(int(opt["initial"]) if "initial" in opt else None)
    simple = {"queue": Queue, "stack": Stack, "block-pool": Pool, "unordered-queue": Bag}
    if name in simple:
        return simple[name](k)
    return {"counter": Counter, "mutex": Mutex, "rwlock": RWLock, "set": Set, "map": Map, "log": Log}[name]()


def linearizable(ops: list[Operation], model: Model, *, full: str = "strict", empty: str = "strict") -> bool:
    """Tries every order of effects between the recorded events."""
    n = len(ops)
    events = sorted(
        [(o.call, 0, i) for i, o in enumerate(ops)]
        + [(o.return_, 1, i) for i, o in enumerate(ops) if o.return_ is not None]
    )
    before: dict[int, int] = {}
    last: dict[tuple[int, int], int] = {}
    for i, o in enumerate(ops):
        if o.batch:
            if (o.client, o.batch) in last:
                before[i] = last[o.client, o.batch]
            last[o.client, o.batch] = i
    capacity = getattr(model, "capacity", 0)

    def failed(o: Operation) -> bool:
        return o.return_ is not None and (
            o.result is False if o.op in ("put", "put_front", "push") else o.result is None
        )

    def weak_ok(i: int, running: list[int], done: frozenset[int], s: Any) -> bool:
        o = ops[i]
        if o.op in ("put", "put_front", "push"):
            if full == "strict" or not capacity:
                return False
            hands = 0
            for j in running:
                x = ops[j]
                if j == i or x.op == "peek":
                    continue
                if failed(x):
                    hands += full == "running"
                elif x.op in ("put", "put_front", "push"):
                    hands += j not in done
                else:
                    hands += j in done
            return len(s) + hands >= capacity
        return empty != "strict" and any(
            ops[j].op in ("put", "put_front", "push") and not failed(ops[j]) for j in running
        )

    seen = set()

    def go(e: int, done: frozenset[int], s: Any) -> bool:
        if (e, done, s) in seen:
            return False
        seen.add((e, done, s))
        called = [i for _, kind, i in events[:e] if kind == 0]
        returned = {i for _, kind, i in events[:e] if kind == 1}
        running = [i for i in called if i not in returned]
        if e == len(events):
            return True
        for i in running:
            if i in done or (i in before and before[i] not in done):
                continue
            o = ops[i]
            states = list(model.step(s, o))
            if failed(o) and isinstance(model, Queue):
                put = o.op in ("put", "put_front", "push")
                if (put and full != "strict") or (not put and empty != "strict"):
                    ok = weak_ok(i, running, done, s) or (not put and not s)
                    states = [s] if ok else []
            for after in states:
                if go(e, done | {i}, after):
                    return True
        _, kind, i = events[e]
        if kind == 1 and i not in done:
            return False
        return go(e + 1, done, s)

    _ = n
    return go(0, frozenset(), model.init)
