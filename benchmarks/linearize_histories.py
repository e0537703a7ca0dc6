"""Big histories for the checker's benchmark, as binary records, made with NumPy arrays."""

import random
from collections import deque

import numpy as np

from lockfree.linearizability import History

MILLION = 1_000_000
RECORD = np.dtype(
    {
        "names": ["call", "ret", "arg", "arg2", "result", "client", "key", "batch", "op", "flags"],
        "formats": ["u8", "u8", "i8", "i8", "i8", "u4", "u4", "u4", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 32, 40, 44, 48, 52, 53],
        "itemsize": 56,
    }
)
PUT, GET, WRITE, READ = 1, 2, 5, 6
NONE = -(1 << 63)


def _intervals(count: int, clients: int, seed: int) -> np.ndarray:
    """Instants in increasing order, each inside an interval of its client."""
    rng = random.Random(seed)
    out = np.zeros(count, RECORD)
    call, ret, client = out["call"].tolist(), out["ret"].tolist(), out["client"].tolist()
    ready = [0] * clients
    now = 1000
    pick = rng.random
    for i in range(count):
        now += 20 + int(pick() * 100)
        c = int(pick() * clients)
        start = max(ready[c] + 1, now - int(pick() * 60 * clients))
        now = max(now, start)
        ready[c] = now + 1 + int(pick() * 60 * clients)
        call[i], ret[i], client[i] = start, ready[c], c
    out["call"], out["ret"], out["client"] = call, ret, client
    out["arg"] = out["result"] = NONE
    return out


def _swap_results(out: np.ndarray, clients: int) -> None:
    """Exchanges the results of two gets at nine tenths that are certainly far apart, of the same priority."""
    gets = np.flatnonzero((out["op"] == GET) & (out["flags"] == 0))
    a = int(gets[len(gets) * 9 // 10])
    later = gets[(gets > a + 40 * clients) & (out["arg2"][gets] == out["arg2"][a])]
    b = int(later[0])
    out["result"][[a, b]] = out["result"][[b, a]]


def _put_or_get(inside: int, depth: int, coin: float) -> bool:
    return (
        inside < depth // 2 or (inside < depth and coin < 0.5)
        if depth > 16
        else coin < (0.25 if inside > depth else 0.55)
    )


def fifo(count: int, clients: int, depth: int, *, bad: bool, seed: int = 1) -> bytes:
    out = _intervals(count, clients, seed)
    rng, items = random.Random(seed), deque()
    op, arg, result, flags = (out[n].tolist() for n in ("op", "arg", "result", "flags"))
    for i in range(count):
        if _put_or_get(len(items), depth, rng.random()):
            op[i], arg[i] = PUT, i
            items.append(i)
        else:
            op[i] = GET
            if items:
                result[i] = items.popleft()
            else:
                flags[i] = 1
    out["op"], out["arg"], out["result"], out["flags"] = op, arg, result, flags
    if bad:
        _swap_results(out, clients)
    return out.tobytes()


def priorities(count: int, clients: int, depth: int, *, bad: bool, seed: int = 1) -> bytes:
    out = _intervals(count, clients, seed)
    rng, levels, inside = random.Random(seed), [deque() for _ in range(16)], 0
    for i in range(count):
        record = out[i]
        if _put_or_get(inside, depth, rng.random()):
            level = rng.randrange(16)
            record["op"], record["arg"], record["arg2"] = PUT, i, level
            levels[level].append(i)
            inside += 1
        else:
            record["op"] = GET
            level = next((n for n in range(16) if levels[n]), None)
            if level is None:
                record["flags"] = 1
            else:
                record["result"], record["arg2"] = levels[level].popleft(), level
                inside -= 1
    if bad:
        _swap_results(out, clients)
    return out.tobytes()


def register(count: int, clients: int, *, bad: bool, seed: int = 1) -> bytes:
    out = _intervals(count, clients, seed)
    rng, value = random.Random(seed), NONE
    for i in range(count):
        record = out[i]
        if rng.random() < 0.33:
            record["op"], record["arg"] = WRITE, i
            value = i
        else:
            record["op"], record["result"], record["flags"] = READ, value, value == NONE
    if bad:
        reads = np.flatnonzero((out["op"] == READ) & (out["flags"] == 0))
        out["result"][reads[len(reads) * 9 // 10]] = out["result"][reads[len(reads) // 2]]
    return out.tobytes()


def json_lines(records: bytes) -> bytes:
    """As the file format writes them, straight from the records."""
    names = {PUT: "put", GET: "get"}
    lines = []
    for r in np.frombuffer(records, RECORD).tolist():
        call, ret, arg, _, result, client, _, _, op, flags = r
        said = f'"arg": {arg}, "result": true' if op == PUT else f'"result": {"null" if flags else result}'
        lines.append(f'{{"client": {client}, "op": "{names[op]}", {said}, "call": {call}, "return": {ret}}}\n')
    text = "".join(lines).encode()
    assert len(History.from_json(text[: text.index(b"\n") + 1])) == 1
    return text
