"""Writes the corpus: `{name}-{ok,bad}.jsonl` and `expected.json` (specification, rule and words of each bad one).

Small pairs are written out below and differ in one answer or instant. Large pairs are runs of a simulated object by
eight clients, the bad one with one fault at nine tenths. Run it again after a change; the files are the same every time.
"""

import heapq
import json
import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lockfree.linearizability import History, Operation

HERE = Path(__file__).parent
Row = tuple[Any, ...]  # client, op, arg, result, call, return[, key[, batch]]


def ops(*rows: Row) -> list[Operation]:
    return [Operation(*row) for row in rows]


# name → (specification, ok, bad, rule, words that must be in the reason)
SMALL: dict[str, tuple[str, list[Operation], list[Operation], str, str]] = {
    "queue": (
        "queue",
        ops((0, "put", 1, True, 0, 10), (1, "put", 2, True, 5, 30), (2, "get", None, 2, 12, 40), (2, "get", None, 1, 41, 50)),
        ops((0, "put", 1, True, 0, 10), (1, "put", 2, True, 15, 30), (2, "get", None, 2, 18, 40), (2, "get", None, 1, 41, 50)),
        "OVERTAKEN",
        "put(1) returned before put(2) was called",
    ),
    "queue-empty": (
        "queue",
        ops((0, "put", 3, True, 0, 10), (1, "get", None, None, 5, 20), (1, "get", None, 3, 21, 30)),
        ops((0, "put", 3, True, 0, 10), (1, "get", None, None, 12, 20), (1, "get", None, 3, 21, 30)),
        "NOT_EMPTY",
        "get→EMPTY at a time when 3 was certainly inside",
    ),
    "queue-pending": (
        "queue",
        ops((0, "put", 1, True, 0, 5), (1, "get", None, None, 6, None), (2, "get", None, None, 20, 30)),
        ops((0, "put", 1, True, 0, 5), (1, "get", None, None, 31, None), (2, "get", None, None, 20, 30)),
        "NOT_EMPTY",
        "certainly inside",
    ),
    "queue-early": (
        "queue",
        ops((0, "get", None, 7, 0, 20), (1, "put", 7, True, 15, 30)),
        ops((0, "get", None, 7, 0, 10), (1, "put", 7, True, 15, 30)),
        "TAKEN_EARLY",
        "get→7 returned before put(7) was called",
    ),
    "queue-twice": (
        "queue",
        ops((0, "put", 7, True, 0, 10), (1, "get", None, 7, 11, 20), (2, "get", None, None, 12, 30)),
        ops((0, "put", 7, True, 0, 10), (1, "get", None, 7, 11, 20), (2, "get", None, 7, 12, 30)),
        "TAKEN_TWICE",
        "7 was taken twice",
    ),
    "queue-batch": (
        "queue",
        ops((0, "put", 1, True, 0, 9, None, 1), (0, "put", 2, True, 0, 9, None, 1), (1, "get", None, 1, 10, 20), (1, "get", None, 2, 21, 30)),
        ops((0, "put", 1, True, 0, 9, None, 1), (0, "put", 2, True, 0, 9, None, 1), (1, "get", None, 2, 10, 20), (1, "get", None, 1, 21, 30)),
        "CYCLE",
        "goes round in a circle",
    ),
    "bounded-queue": (
        "bounded-queue:2",
        ops((0, "put", 1, True, 0, 5), (0, "put", 2, True, 6, 9), (1, "put", 3, False, 10, 20), (0, "get", None, 1, 12, 25)),
        ops((0, "put", 1, True, 0, 5), (0, "put", 2, True, 6, 9), (1, "put", 3, True, 10, 20), (0, "get", None, 1, 22, 25)),
        "OVER_CAPACITY",
        "the capacity is 2",
    ),
    "bounded-queue-strict-full": (
        "bounded-queue:1",
        ops((0, "put", 1, True, 0, 30), (1, "put", 2, False, 10, 20)),
        ops((0, "put", 1, True, 0, 8), (0, "get", None, 1, 9, 10), (1, "put", 2, False, 12, 20)),
        "NOT_FULL",
        "put(2)→FULL",
    ),
    "bounded-queue-long-put": (
        "bounded-queue:2",
        ops((0, "put", 7, True, 0, 70), (1, "put", 3, True, 10, 20), (3, "put", 3, False, 30, 40), (2, "get", None, 7, 80, 90), (2, "get", None, 3, 91, 95), (2, "get", None, None, 96, 99)),
        ops((0, "put", 7, True, 21, 70), (1, "put", 3, True, 10, 20), (3, "put", 3, False, 30, 40), (2, "get", None, 7, 80, 90), (2, "get", None, 3, 91, 95), (2, "get", None, None, 96, 99)),
        "OVERTAKEN",
        "put(3) returned before put(7) was called",
    ),
    "bounded-queue-in-hand": (
        "bounded-queue:1,full=in-hand",
        ops((0, "put", 1, True, 0, 5), (0, "get", None, 1, 6, 30), (1, "put", 2, False, 10, 20), (1, "get", None, None, 25, 40)),
        ops((0, "put", 1, True, 0, 5), (0, "get", None, 1, 6, 9), (1, "put", 2, False, 10, 20), (1, "get", None, None, 25, 40)),
        "NOT_FULL",
        "more than 0 of 1 could be in use",
    ),
    "stack": (
        "stack",
        ops((0, "push", 1, True, 0, 5), (0, "push", 2, True, 6, 9), (1, "pop", None, 2, 10, 20), (1, "pop", None, 1, 21, 30)),
        ops((0, "push", 1, True, 0, 5), (0, "push", 2, True, 6, 9), (1, "pop", None, 1, 10, 20), (1, "pop", None, 2, 21, 30)),
        "NOT_NESTED",
        "cannot nest",
    ),
    "priority-queue": (
        "priority-queue",
        ops((0, "put", [1, 5], True, 0, 5), (0, "put", [0, 6], True, 6, 15), (1, "get", None, [1, 5], 10, 20), (1, "get", None, [0, 6], 21, 30)),
        ops((0, "put", [1, 5], True, 0, 5), (0, "put", [0, 6], True, 6, 9), (1, "get", None, [1, 5], 10, 20), (1, "get", None, [0, 6], 21, 30)),
        "LESS_URGENT",
        "more urgent [0, 6] was certainly inside",
    ),
    "priority-queue-fifo": (
        "priority-queue",
        ops((0, "put", [1, 5], True, 0, 9), (1, "put", [1, 6], True, 6, 9), (1, "get", None, [1, 6], 10, 20), (1, "get", None, [1, 5], 21, 30)),
        ops((0, "put", [1, 5], True, 0, 4), (1, "put", [1, 6], True, 6, 9), (1, "get", None, [1, 6], 10, 20), (1, "get", None, [1, 5], 21, 30)),
        "OVERTAKEN",
        "get→[1, 6]",
    ),
    "priority-queue-unordered": (
        "priority-queue,ties=any",
        ops((0, "put", [1, 5], True, 0, 4), (1, "put", [1, 6], True, 6, 9), (1, "get", None, [1, 6], 10, 20), (1, "get", None, [1, 5], 21, 30)),
        ops((0, "put", [1, 5], True, 0, 4), (1, "put", [2, 6], True, 6, 9), (1, "get", None, [2, 6], 10, 20), (1, "get", None, [1, 5], 21, 30)),
        "LESS_URGENT",
        "more urgent [1, 5]",
    ),
    "register": (
        "register",
        ops((0, "write", 1, True, 0, 5), (0, "write", 2, True, 6, 20), (1, "read", None, 1, 8, 12), (1, "read", None, 2, 13, 18)),
        ops((0, "write", 1, True, 0, 5), (0, "write", 2, True, 6, 10), (1, "read", None, 1, 12, 14), (1, "read", None, 2, 15, 18)),
        "STALE_READ",
        "the value had been overwritten",
    ),
    "register-cas": (
        "register,initial=0",
        ops((0, "cas", [0, 1], True, 0, 5), (1, "cas", [1, 2], True, 3, 20), (2, "read", None, 2, 15, 30)),
        ops((0, "cas", [0, 1], True, 0, 5), (1, "cas", [0, 2], True, 3, 20), (2, "read", None, 2, 15, 30)),
        "TAKEN_TWICE",
        "replaced the same 0",
    ),
    "counter": (
        "counter",
        ops((0, "fetch_add", 1, 0, 0, 10), (1, "fetch_add", 1, 1, 2, 12), (2, "load", None, 2, 5, 20)),
        ops((0, "fetch_add", 1, 0, 0, 10), (1, "fetch_add", 1, 0, 2, 12), (2, "load", None, 2, 5, 20)),
        "SAME_RESULT",
        "cannot both be right",
    ),
    "semaphore": (
        "semaphore:1",
        ops((0, "acquire", 1, True, 0, 5), (1, "acquire", 1, False, 6, 10), (0, "release", 1, True, 11, 15), (1, "acquire", 1, True, 12, 20)),
        ops((0, "acquire", 1, True, 0, 5), (1, "acquire", 1, True, 6, 10), (0, "release", 1, True, 11, 15)),
        "NO_ORDER",
        "no order of the operations explains acquire()→true of client 1",
    ),
    "mutex": (
        "mutex",
        ops((0, "acquire", None, True, 0, 5), (0, "release", None, True, 10, 20), (1, "acquire", None, True, 7, 18), (2, "acquire", None, False, 8, 9)),
        ops((0, "acquire", None, True, 0, 5), (0, "release", None, True, 10, 20), (1, "acquire", None, True, 7, 9)),
        "BOTH_HELD",
        "clients 0 and 1 held the lock at once",
    ),
    "mutex-try": (
        "mutex",
        ops((0, "acquire", None, True, 0, 5), (0, "release", None, True, 10, 20), (1, "acquire", None, False, 19, 25)),
        ops((0, "acquire", None, True, 0, 5), (0, "release", None, True, 10, 20), (1, "acquire", None, False, 21, 25)),
        "CERTAINLY_FREE",
        "while the lock was certainly free",
    ),
    "rwlock": (
        "rwlock",
        ops((0, "read_acquire", None, True, 0, 5), (1, "read_acquire", None, True, 1, 6), (2, "write_acquire", None, False, 7, 9)),
        ops((0, "read_acquire", None, True, 0, 5), (2, "write_acquire", None, True, 7, 9), (0, "read_release", None, True, 10, 12)),
        "NO_ORDER",
        "write_acquire()",
    ),
    "set": (
        "set",
        ops((0, "add", 1, True, 0, 5), (1, "add", 1, False, 3, 8), (2, "remove", 1, True, 9, 12), (2, "contains", 1, False, 13, 15)),
        ops((0, "add", 1, True, 0, 5), (1, "add", 1, True, 6, 8), (2, "remove", 1, True, 9, 12)),
        "NO_ORDER",
        "add(1)→true",
    ),
    "map": (
        "map",
        ops((0, "put", 1, True, 0, 5, "a"), (1, "get", None, None, 3, 8, "b"), (2, "remove", None, True, 9, 12, "a"), (2, "get", None, None, 13, 15, "a")),
        ops((0, "put", 1, True, 0, 5, "a"), (1, "get", None, None, 6, 8, "a"), (2, "remove", None, True, 9, 12, "a")),
        "NO_ORDER",
        "get['a']→EMPTY",
    ),
    "block-pool": (
        "block-pool:2",
        ops((0, "alloc", None, 0, 0, 5), (1, "alloc", None, 1, 3, 8), (2, "alloc", None, None, 9, 12), (0, "free", 0, True, 13, 20), (2, "alloc", None, 0, 15, 22)),
        ops((0, "alloc", None, 0, 0, 5), (1, "alloc", None, 1, 3, 8), (2, "alloc", None, 0, 9, 12), (0, "free", 0, True, 13, 20)),
        "BLOCK_TWICE",
        "block 0 was given to client 2 while client 0 had it",
    ),
    "log": (
        "log",
        ops((0, "append", 1, True, 0, 9), (1, "append", 2, True, 3, 8), (2, "read", None, 2, 10, 12), (2, "read", None, 1, 13, 15), (3, "read", None, 2, 10, 12)),
        ops((0, "append", 1, True, 0, 9), (1, "append", 2, True, 3, 8), (2, "read", None, 2, 10, 12), (2, "read", None, 1, 13, 15), (3, "read", None, 1, 10, 12)),
        "LOG_DISAGREE",
        "at position 0 of the log",
    ),
}  # fmt: skip


class _Heap:
    def __init__(self, *, fifo: bool = True) -> None:
        self.items: list[tuple[int, int, int]] = []
        self.seq = 0
        self.fifo = fifo

    def put(self, priority: int, value: int) -> None:
        heapq.heappush(self.items, (priority, self.seq if self.fifo else -self.seq, value))
        self.seq += 1

    def get(self) -> list[int] | None:
        return None if not self.items else [(item := heapq.heappop(self.items))[0], item[2]]


def simulate(
    step: Callable[[random.Random, int], Row], *, count: int = 2000, clients: int = 8, seed: int = 1
) -> list[Operation]:
    """Calls `step` at increasing instants, each inside the interval of its operation."""
    rng = random.Random(seed)
    now, ready = 1000, [0] * clients
    out = []
    for i in range(count):
        now += rng.randrange(20, 120)
        client = rng.randrange(clients)
        call = max(ready[client] + 1, now - rng.randrange(60 * clients))
        now = max(now, call)
        ready[client] = now + 1 + rng.randrange(60 * clients)
        op, arg, result = step(rng, i)
        out.append(Operation(client, op, arg, result, call, ready[client]))
    return sorted(out, key=lambda o: (o.call, o.client))


def swapped(history: list[Operation], op: str, same: Callable[[Operation], Any] = lambda _: None) -> list[Operation]:
    """Exchanges the results of two `op`s at nine tenths that are certainly far apart."""
    out = list(history)
    start = len(out) * 9 // 10
    a = next(i for i in range(start, len(out)) if out[i].op == op and out[i].result is not None)
    b = next(
        i
        for i in range(a + 60, len(out))
        if out[i].op == op and out[i].result is not None and same(out[i]) == same(out[a])
    )
    out[a], out[b] = out[a]._replace(result=out[b].result), out[b]._replace(result=out[a].result)
    return out


def large() -> dict[str, tuple[str, list[Operation], list[Operation], list[str]]]:
    fifo: deque[int] = deque()
    stack: list[int] = []
    heap = _Heap()
    cell: list[Any] = [None]
    count = [0]

    def queue(rng: random.Random, i: int) -> Row:
        if rng.random() < 0.5:
            fifo.append(i)
            return "put", i, True
        return "get", None, fifo.popleft() if fifo else None

    def lifo(rng: random.Random, i: int) -> Row:
        if rng.random() < 0.5:
            stack.append(i)
            return "push", i, True
        return "pop", None, stack.pop() if stack else None

    def priorities(rng: random.Random, i: int) -> Row:
        if rng.random() < 0.5:
            heap.put(priority := rng.randrange(4), i)
            return "put", [priority, i], True
        return "get", None, heap.get()

    def register(rng: random.Random, i: int) -> Row:
        if rng.random() < 0.3:
            cell[0] = i
            return "write", i, True
        return "read", None, cell[0]

    def counter(rng: random.Random, _: int) -> Row:
        before = count[0]
        if rng.random() < 0.7:
            count[0] += 1
            return "fetch_add", 1, before
        return "load", None, before

    runs = {
        "large-queue": ("queue", simulate(queue), "get", ["OVERTAKEN", "TAKEN_EARLY"]),
        "large-stack": ("stack", simulate(lifo), "pop", ["NOT_NESTED", "TAKEN_EARLY"]),
        "large-priority-queue": (
            "priority-queue",
            simulate(priorities),
            "get",
            ["OVERTAKEN", "LESS_URGENT", "TAKEN_EARLY"],
        ),
        "large-register": ("register", simulate(register), "read", ["STALE_READ", "ORDER_FORCED"]),
        "large-counter": ("counter", simulate(counter), "fetch_add", ["ORDER_FORCED"]),
    }
    return {name: (spec, run, swapped(run, op), rules) for name, (spec, run, op, rules) in runs.items()}


def main() -> None:
    expected = {}
    for name, (spec, ok, bad, rule, words) in SMALL.items():
        History.from_operations(ok).save(HERE / f"{name}-ok.jsonl")
        History.from_operations(bad).save(HERE / f"{name}-bad.jsonl")
        expected[name] = {"spec": spec, "rules": [rule], "words": words}
    for name, (spec, ok, bad, rules) in large().items():
        History.from_operations(ok).save(HERE / f"{name}-ok.jsonl")
        History.from_operations(bad).save(HERE / f"{name}-bad.jsonl")
        expected[name] = {"spec": spec, "rules": rules, "words": ""}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
