"""The near-linear algorithms, the general search and the plain enumeration of every order agree."""

import bisect
import random
import subprocess
from pathlib import Path

import compilers
import pytest

from linearizability.brute import linearizable, model_of
from linearizability.generate import history, with_tickets
from lockfree.linearizability import History, Operation, check, parse_spec

ROOT = Path(__file__).parent.parent.parent
SPECS = [
    "queue",
    "queue,empty=in-flight",
    "bounded-queue:1",
    "bounded-queue:2",
    "bounded-queue:1,full=in-hand",
    "bounded-queue:2,full=in-hand",
    "bounded-queue:2,full=running",
    "priority-queue",
    "priority-queue,ties=any",
    "priority-queue,front=fifo",
    "priority-queue:2,full=in-hand,front=fifo",
    "priority-queue:2",
    "priority-queue:2,full=in-hand",
    "unordered-queue",
    "unordered-queue:2",
    "stack",
    "stack:2",
    "register",
    "register,initial=0",
    "counter",
    "semaphore:2",
    "semaphore:1,max=2",
    "mutex",
    "rwlock",
    "set",
    "map",
    "block-pool",
    "block-pool:2",
    "log",
]


ALONE = ["search", "depth-first", "depth-first-by-call", "depth-first-by-chance", "frontier"]


@pytest.mark.parametrize("spec", SPECS)
def test_every_method_gives_the_verdict_of_the_enumeration(spec, request):
    count = 100_000 if request.config.getoption("--soak", default=False) else 600
    parsed, model = parse_spec(spec), model_of(spec)
    undecided = 0
    for seed in range(count):
        ops = history(spec, seed, ops=3 + seed % 6, clients=2 + seed % 3, equal=seed % 5 == 0)
        truth = "OK" if linearizable(ops, model, full=parsed.full, empty=parsed.empty) else "VIOLATION"
        if seed % 3 == 0:  # tickets, right or wrong, change no verdict
            ops = with_tickets(ops, seed)
        alone = ALONE[seed % len(ALONE)]
        search = check(ops, parsed, method=alone, timeout=5, counterexample=False)
        fast = check(ops, parsed, method="near-linear", counterexample=False).status
        both = check(ops, parsed, counterexample=False).status
        assert both == truth, (seed, ops)
        assert search.status in (truth, "UNKNOWN"), (seed, alone, ops)
        assert fast in (truth, "UNKNOWN"), (seed, ops)
        undecided += search.status == "UNKNOWN" and "near-linear" not in search.reason
    assert undecided <= count // 1000


@pytest.mark.parametrize("spec", ["queue", "bounded-queue:1", "bounded-queue:2", "bounded-queue:3"])
def test_the_search_for_the_order_of_many_open_puts_loses_no_order(spec, request):
    """Of open puts whose gets are known, some orders are not tried: never the only one."""
    count = 100_000 if request.config.getoption("--soak", default=False) else 60
    parsed, model = parse_spec(spec), model_of(spec)
    for seed in range(count):
        ops = history(spec, seed, ops=6 + seed % 8, clients=3 + seed % 4)
        truth = "OK" if linearizable(ops, model) else "VIOLATION"
        for method in ("depth-first", "frontier"):
            assert check(ops, parsed, method=method, counterexample=False).status == truth, (seed, method, ops)
        fast = check(ops, parsed, method="near-linear", counterexample=False).status
        assert fast in (truth, "UNKNOWN"), (seed, ops)


def bounded_queue(count, capacity, seed, clients=16, puts=0.6):
    """A right history of a queue that is often full, whose clients are in an operation nearly all the time."""
    rng = random.Random(seed)
    inside, rows, free_at, now = [], [], [0] * clients, 0
    for value in range(count):
        now += rng.randrange(1, 9)
        client = min(range(clients), key=free_at.__getitem__)
        call = max(free_at[client], now - rng.randrange(60))
        now = max(now, call)
        put, result = rng.random() < puts, True
        if put:
            result = len(inside) < capacity
            inside += [value] if result else []
        else:
            result = inside.pop(0) if inside else None
        free_at[client] = now + rng.randrange(60)
        rows.append(Operation(client, "put" if put else "get", value if put else None, result, call, free_at[client]))
        free_at[client] += 1
    return rows


def test_a_strict_bounded_queue_of_sixteen_clients_is_decided():
    rows = bounded_queue(4000, 8, 5)
    assert check(rows, "bounded-queue:8", timeout=20).ok
    swapped = next(i for i in range(3000, 4000) if rows[i].op == "put" and rows[i].result is True)
    rows[swapped] = rows[swapped]._replace(result=False)
    assert check(rows, "bounded-queue:8", timeout=20, counterexample=False).status == "VIOLATION"


@pytest.mark.parametrize("capacity", [1, 3, 60, 600])
def test_a_strict_bounded_queue_is_decided_whatever_its_capacity(capacity):
    """Long before it shows, somebody chose the order of two puts that fits no FULL: the order is mended there."""
    rows = bounded_queue(6000, capacity, 1, clients=24)
    assert sum(o.op == "put" and o.result is False for o in rows) > 500
    assert check(rows, f"bounded-queue:{capacity}", method="near-linear").ok


@pytest.mark.parametrize("capacity", [8, 100, 1000])
def test_a_bounded_queue_with_equal_values_is_decided(capacity):
    rows = bounded_queue(1000, capacity, capacity, puts=0.56)
    rows = [
        o._replace(arg=o.arg and o.arg % 5, result=o.result % 5 if o.op == "get" and o.result is not None else o.result)
        for o in rows
    ]
    assert check(rows, f"bounded-queue:{capacity}", timeout=30).ok


@pytest.mark.parametrize(("capacity", "wrong"), [(8, "put"), (8, "get"), (100, "get")])
def test_a_wrong_bounded_queue_with_equal_values_is_decided(capacity, wrong):
    """By the number of values alone, or without the capacity."""
    rows = bounded_queue(1000, capacity, capacity, puts=0.56)
    rows = [
        o._replace(arg=o.arg and o.arg % 5, result=o.result % 5 if o.op == "get" and o.result is not None else o.result)
        for o in rows
    ]
    if wrong == "put":
        end = max(o.return_ for o in rows)
        rows += [Operation(0, "put", 1, True, end + 2 * k, end + 2 * k + 1) for k in range(1, capacity + 2)]
    else:
        at = next(i for i in range(800, 1000) if rows[i].op == "get" and rows[i].result is not None)
        rows[at] = rows[at]._replace(result=7)
    assert check(rows, f"bounded-queue:{capacity}", timeout=20, counterexample=False).status == "VIOLATION"


def test_an_empty_before_a_put_returns_is_no_violation():
    """The queue is empty for a moment that only an earlier get, not forced yet, brings about."""
    rows = [
        Operation(0, "put", 0, True, 0, 11),
        Operation(1, "get", None, 0, 15, 26),
        Operation(2, "get", None, None, 16, 28),
        Operation(0, "put", 0, True, 18, 25),
    ]
    for spec in ("queue", "bounded-queue:2"):
        assert check(rows, spec).ok
        late = [rows[0], rows[1], rows[2]._replace(call=26), rows[3]]
        assert check(late, spec).status == "VIOLATION"


def busy_clients(spec, count, seed, clients=16, values=5, puts=0.58, long=0.0, dies=True):
    """A right history of clients that are always in a call, of a stack or a queue whose values repeat (`values`; 0: they do
    not), with three priorities if it has any. What runs at its end never returns, if it `dies`. The share `long` of the calls
    takes a hundred times as long."""
    rng = random.Random(seed)
    kind, _, capacity = spec.partition(",")[0].removeprefix("bounded-").partition(":")
    put, get, last = ("push", "pop", -1) if kind == "stack" else ("put", "get", 0)
    inside, rows, now = [], [], 0

    def lasts():
        return rng.expovariate(1 / (50_000 if long and rng.random() < long else 500))

    free_at = [lasts() for _ in range(clients)]
    effects = sorted((free_at[client] + lasts(), client) for client in range(clients))
    while len(rows) < count:
        at, client = effects.pop(0)
        now = max(now + 1, int(at))
        call, free_at[client] = int(free_at[client]), now + 1 + int(lasts())
        if rng.random() < puts:
            value, room = rng.randrange(values) if values else len(rows), len(inside) < int(capacity or count)
            if kind == "priority-queue":
                value = [rng.randrange(3), value]
                inside.insert(sum(x[0] <= value[0] for x in inside), value)
            else:
                inside += [value] if room else []
            rows.append(Operation(client, put, value, room, call, free_at[client]))
        else:
            rows.append(Operation(client, get, None, inside.pop(last) if inside else None, call, free_at[client]))
        free_at[client] += 1 + lasts()
        bisect.insort(effects, (free_at[client] + lasts(), client))
    end = max(o.call for o in rows) if dies else free_at[client] + 10**9
    return [o if o.return_ <= end else o._replace(return_=None, result=None) for o in rows]


@pytest.mark.parametrize(
    ("capacity", "seed", "long"), [(8, 1, 0), (1000, 2, 0), (5000, 3, 0), (1000, 3, 0.02), (1000, 6, 0.02)]
)
def test_a_long_history_of_a_bounded_queue_is_decided(capacity, seed, long):
    """Where its values are put and where they are taken is far apart, and each order of them must suit both places."""
    rows = busy_clients(f"bounded-queue:{capacity}", 30_000, seed, values=0, puts=0.6, long=long, dies=False)
    verdict = check(rows, f"bounded-queue:{capacity}", timeout=120)
    assert verdict.ok
    assert verdict.configurations == 0
    rows.append(Operation(16, "put", -1, False, 0, 1))
    assert check(rows, f"bounded-queue:{capacity}", timeout=120).status == "VIOLATION"


@pytest.mark.parametrize(("capacity", "seed"), [(30, 3), (30, 4), (100, 5), (100, 8)])
def test_equal_values_of_a_bounded_queue_may_change_their_gets(capacity, seed):
    """The first matching of gets with puts that there is has no order that suits each FULL. In the last one a call that
    never returned is why others were FULL."""
    rows = busy_clients(f"bounded-queue:{capacity}", 1000, seed)
    verdict = check(rows, f"bounded-queue:{capacity}", timeout=60)
    assert verdict.ok
    assert verdict.configurations < 100_000


def test_a_stack_with_equal_values_of_sixteen_clients_is_decided():
    rows = busy_clients("stack", 1000, 5)
    assert check(rows, "stack", timeout=30).ok
    first = min((o for o in rows if o.op == "push" and o.return_), key=lambda o: o.return_)
    rows = [o if o.op != "pop" or o.call > first.return_ + 4000 else o._replace(result=6) for o in rows]
    assert check(rows, "stack", timeout=30).status == "VIOLATION"


@pytest.mark.parametrize(("clients", "seed"), [(16, 1), (16, 2), (32, 1)])
def test_a_stack_that_is_often_full_is_decided_soon(clients, seed):
    """Depth first: the frontier needs a hundred times as many configurations for 16 clients, and too many for 32."""
    rows = busy_clients("stack:8", 1000, seed, clients, 0, dies=False)
    verdict = check(rows, "stack:8", timeout=60)
    assert verdict.ok
    assert verdict.configurations < (10_000 if clients == 16 else 300_000)


def test_a_stack_has_no_room_for_a_value_whose_pop_comes_late():
    """The value that stays would fill the stack until others, which must go in before, have returned."""
    rows = [
        Operation(0, "push", 1, True, 0, 100),
        Operation(1, "push", 2, True, 5, 20),
        Operation(2, "pop", None, 2, 30, 40),
        Operation(3, "pop", None, None, 50, 60),
        Operation(2, "pop", None, 1, 110, 120),
    ]
    for method in ("auto", "depth-first", "depth-first-by-call", "depth-first-by-chance", "frontier"):
        assert check(rows, "stack:1", method=method).ok
        early = [rows[0]._replace(return_=45), *rows[1:]]
        assert check(early, "stack:1", method=method).status == "VIOLATION"


def test_a_stack_with_equal_values_and_calls_that_never_returned_is_decided():
    """Each of them may have taken effect or not, at any time: they wait until another operation needs them."""
    rows = busy_clients("stack", 1000, 3)
    for i in range(50, 1000, 100):
        rows[i] = rows[i]._replace(client=100 + i, return_=None, result=None)
    verdict = check(rows, "stack", timeout=60)
    assert verdict.ok
    assert verdict.configurations < 4_000_000


def never_return(rows, share, seed):
    """Some calls of a history never return, and their clients go on as others."""
    rng = random.Random(seed)
    return [
        o._replace(client=1000 + i, return_=None, result=None) if o.return_ and rng.random() < share else o
        for i, o in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("count", "clients", "values", "share"), [(3000, 16, 0, 0.01), (3000, 8, 0, 0.01), (1000, 64, 5, 0)]
)
def test_a_stack_whose_pops_may_have_taken_one_of_many_is_decided(count, clients, values, share):
    """By pairs of pushes and pops, which are changed where they do not nest."""
    rows = never_return(busy_clients("stack", count, 1, clients, values, dies=values > 0), share, 1)
    verdict = check(rows, "stack", timeout=60)
    assert verdict.ok
    assert verdict.configurations == 0
    if values:
        return
    # two pops of values that are certainly inside at once, in the wrong order
    pops = {o.result: i for i, o in enumerate(rows) if o.op == "pop" and o.return_ and o.result is not None}
    pushes = {o.arg: o for o in rows if o.op == "push" and o.return_}
    below, above = next(
        (a, b)
        for a in pops
        for b in pops
        if a in pushes
        and b in pushes
        and pushes[a].return_ < pushes[b].call
        and pushes[b].return_ < rows[pops[b]].call
        and rows[pops[b]].return_ < rows[pops[a]].call
    )
    for mine, other in ((below, above), (above, below)):
        rows[pops[mine]] = rows[pops[mine]]._replace(result=other)
    wrong = check(rows, "stack", method="near-linear", timeout=60)
    assert wrong.status == "VIOLATION"


def test_a_stack_with_calls_that_never_returned_has_the_verdict_of_the_enumeration(request):
    count = 50_000 if request.config.getoption("--soak", default=False) else 400
    parsed, model, verdicts = parse_spec("stack"), model_of("stack"), set()
    for seed in range(count):
        rng = random.Random(seed)
        rows = busy_clients("stack", rng.randrange(6, 10), seed, rng.randrange(2, 6), rng.choice([0, 0, 2]), dies=False)
        rows = never_return(rows, 0.25, seed)
        pops = [o for o in rows if o.op == "pop" and o.return_]
        if len(pops) > 1 and rng.random() < 0.7:
            one, other = rng.sample(pops, 2)
            rows[rows.index(one)] = one._replace(result=other.result)
        truth = "OK" if linearizable(rows, model) else "VIOLATION"
        fast = check(rows, parsed, method="near-linear", counterexample=False).status
        assert check(rows, parsed, counterexample=False).status == truth, (seed, rows)
        assert fast in (truth, "UNKNOWN"), (seed, rows)
        verdicts.add((truth, fast))
    assert {("OK", "OK"), ("OK", "UNKNOWN"), ("VIOLATION", "VIOLATION")} <= verdicts


@pytest.mark.parametrize(
    "spec",
    [
        "stack", "stack:1", "stack:2", "queue", "bounded-queue:1", "bounded-queue:2", "bounded-queue:4", "priority-queue",
        "priority-queue,ties=any", "unordered-queue", "unordered-queue:2",
    ],
)  # fmt: skip
def test_equal_values_have_the_verdict_of_the_enumeration(spec, request):
    """Few values and many clients: the values that may be below or before one another are many."""
    count = 100_000 if request.config.getoption("--soak", default=False) else 250
    parsed, model = parse_spec(spec), model_of(spec)
    verdicts = set()
    for seed in range(count):
        rng = random.Random(seed)
        rows = busy_clients(spec, 9, seed, clients=rng.randrange(2, 7), values=2)
        for o in rng.sample(rows, 2):
            other = rng.choice([x for x in rows if x.op == o.op])
            if o.return_ and other.return_:
                rows[rows.index(o)] = o._replace(result=other.result)
        if parsed.capacity and (full := [o for o in rows if o.op in ("push", "put") and o.return_]):
            rows[rows.index(full[-1])] = full[-1]._replace(result=False)
        truth = "OK" if linearizable(rows, model) else "VIOLATION"
        assert check(rows, parsed, counterexample=False).status == truth, (seed, rows)
        method = ("depth-first", "depth-first-by-call", "depth-first-by-chance")[seed % 3]
        assert check(rows, parsed, counterexample=False, method=method).status == truth, (seed, method, rows)
        verdicts.add(truth)
    assert verdicts == {"OK", "VIOLATION"}


@pytest.mark.parametrize("spec", ["priority-queue", "priority-queue,ties=any", "unordered-queue"])
def test_a_priority_queue_with_equal_values_of_sixteen_clients_is_decided(spec):
    rows = busy_clients(spec, 1000, 5)
    assert check(rows, spec, timeout=10).ok
    # one more get of some value than there are puts of it by then
    gets = [o for o in rows if o.op == "get" and o.result is not None][200:]
    got = gets[0].result
    while sum(o.arg == got for o in rows if o.op == "put" and o.call < gets[0].return_) >= sum(
        o.result == got for o in rows if o.op == "get" and o.return_ and o.return_ <= gets[0].return_
    ):
        late = next(o for o in reversed(rows[: rows.index(gets[0])]) if o.op == "get" and o.result not in (None, got))
        rows[rows.index(late)] = late._replace(result=got)
    assert check(rows, spec, timeout=10, counterexample=False).status == "VIOLATION"


def test_a_queue_without_an_order_of_sixty_four_clients_is_decided():
    """Each value is a class of its own; the number of values inside alone has too many orders."""
    rows = busy_clients("unordered-queue", 1500, 3, clients=64)
    verdict = check(rows, "unordered-queue", timeout=30)
    assert verdict.ok
    assert verdict.configurations < 1000


def log_of_equal_values(count, seed, clients):
    """Clients that append few values and read on; every other history has a wrong answer."""
    rng = random.Random(seed)
    log, seen, free_at, rows, now = [], {}, {}, [], 0
    for _ in range(count):
        client = min(range(clients), key=lambda c: free_at.get(c, 0))
        call = free_at.get(client, 0) + 1
        now = max(now + 1, call + rng.randrange(8))
        free_at[client] = now + rng.choice((0, 1, 5, 20))
        if rng.random() < 0.4:
            log.append(rng.randrange(3))
            rows.append(Operation(client, "append", log[-1], True, call, free_at[client]))
            continue
        at = seen.get(client, 0)
        seen[client] = min(at + 1, len(log))
        rows.append(Operation(client, "read", None, log[at] if at < len(log) else None, call, free_at[client]))
    reads = [i for i, o in enumerate(rows) if o.op == "read"]
    if seed % 2 and reads:
        at = rng.choice(reads)
        rows[at] = rows[at]._replace(result=rng.choice([None, 0, 1, 2]))
    return rows


def test_a_log_with_equal_values_has_the_verdict_of_the_enumeration(request):
    count = 100_000 if request.config.getoption("--soak", default=False) else 400
    parsed, model, verdicts = parse_spec("log"), model_of("log"), set()
    for seed in range(count):
        rows = log_of_equal_values(9, seed, clients=3)
        truth = "OK" if linearizable(rows, model) else "VIOLATION"
        verdict = check(rows, parsed, method="near-linear")
        assert verdict.status == truth, (seed, rows)
        assert truth == "OK" or not linearizable(verdict.operations, model), (seed, rows)
        verdicts.add(truth)
    assert verdicts == {"OK", "VIOLATION"}


def test_a_log_with_equal_values_of_sixteen_clients_is_decided():
    """The position of an append is open until the last moment: of equal values the one that returns first needs it."""
    rows = log_of_equal_values(1000, 2, clients=16)
    assert check(rows, "log", method="near-linear").ok
    after = [i for i, o in enumerate(rows) if o.op == "read" and o.result is not None]
    swapped = next(i for i in after[500:] if rows[i].result != rows[after[0]].result)
    rows[swapped] = rows[swapped]._replace(result=rows[after[0]].result)
    assert check(rows, "log", method="near-linear", counterexample=False).status == "VIOLATION"


@pytest.mark.parametrize("spec", ["bounded-queue:3", "bounded-queue:8"])
def test_depth_first_and_frontier_agree_about_bounded_queues(spec, request):
    """Longer than what can be enumerated: the content has many values whose order is still open."""
    count = 20_000 if request.config.getoption("--soak", default=False) else 80
    verdicts = set()
    for seed in range(count):
        rng = random.Random(seed)
        rows = busy_clients(
            spec, rng.randrange(12, 36), seed, rng.randrange(4, 10), rng.choice([0, 2, 5]), 0.7, dies=seed % 3 == 0
        )
        if seed % 2:
            o, other = rng.sample([o for o in rows if o.return_], 2)
            if o.op == other.op:
                rows[rows.index(o)] = o._replace(result=other.result)
        truth = check(rows, spec, counterexample=False, method="frontier").status
        for method in ("depth-first", "depth-first-by-call", "auto"):
            assert check(rows, spec, counterexample=False, method=method).status == truth, (seed, method, rows)
        verdicts.add(truth)
    assert verdicts == {"OK", "VIOLATION"}


def test_what_the_search_with_slots_does_not_find_is_asked_of_the_frontier(tmp_path):
    """Slots are filled as late as they can be, and that leaves orders out: without the other search right histories are wrong."""
    rows = [
        Operation(2, "put", 0, True, 136, 1134),
        Operation(0, "get", None, 0, 106, 1645),
        Operation(1, "put", 1, True, 501, 1119),
        Operation(2, "put", 1, None, 1461, None),
        Operation(0, "put", 0, None, 2445, None),
    ]
    assert linearizable(rows, model_of("bounded-queue:1"))
    assert check(rows, "bounded-queue:1", method="depth-first").ok
    # the engine, in which the depth-first search is believed
    asked = """exact            ? lin_reject_exactly(p, 8 * patience)
                       : run->allowance ? lin_frontier(p, 4 * run->allowance)
                                        : lin_frontier(p, UINT64_MAX)"""
    search = (ROOT / "c" / "linearize" / "search.c").read_text()
    assert search.count(asked) == 1
    (tmp_path / "search.c").write_text(search.replace(asked, "exact || p ? lin_reject_all(p) : LIN_UNDECIDED"))
    sources = [f for f in (ROOT / "c" / "linearize").glob("*.c") if f.name != "search.c"]
    program = [Path(__file__).with_name("verdict.c"), tmp_path / "search.c", *sources]
    command = [*compilers.needed("c"), "-std=gnu11", "-O0", f"-I{ROOT / 'c'}", "-o", "verdict", *map(str, program)]
    subprocess.run(command, cwd=tmp_path, check=True)
    history = History.from_operations(rows)
    history.save(tmp_path / "records", binary=True)
    records = (tmp_path / "records").read_bytes()[64 : 64 + 56 * len(rows)]
    verdict = subprocess.run([tmp_path / "verdict", "1"], input=records, capture_output=True, check=True).stdout
    assert verdict == b"VIOLATION\n"


def test_several_puts_may_take_effect_before_one_returns():
    """The value that is taken first is that of a put which returns later than another one inside."""
    rows = [
        Operation(0, "put", 7, True, 0, 70),
        Operation(1, "put", 3, True, 10, 20),
        Operation(2, "get", None, 7, 80, 90),
        Operation(2, "get", None, 3, 91, 95),
        Operation(3, "put", 9, False, 30, 40),
    ]
    for method in ("auto", "depth-first", "depth-first-by-call", "depth-first-by-chance", "frontier"):
        assert check(rows, "bounded-queue:2", method=method).ok
        assert check(rows[:4], "bounded-queue:2", method=method).ok
        assert check(rows, "bounded-queue:1", method=method).status == "VIOLATION"
        assert check(rows[:4], "bounded-queue:1", method=method).status == "VIOLATION"


@pytest.mark.parametrize(("capacity", "values"), [(8, 5), (8, 2), (100, 5), (1000, 5)])
def test_a_bounded_queue_of_busy_clients_with_equal_values_is_decided(capacity, values):
    rows = busy_clients(f"bounded-queue:{capacity}", 1000, capacity, values=values, dies=False)
    assert check(rows, f"bounded-queue:{capacity}", timeout=60).ok
    first = min((o for o in rows if o.op == "put"), key=lambda o: o.return_)
    late = [o for o in rows if o.op == "get" and o.result is not None and o.call > first.return_ + 4000]
    rows[rows.index(late[-1])] = late[-1]._replace(result=6)
    assert check(rows, f"bounded-queue:{capacity}", timeout=60, counterexample=False).status == "VIOLATION"


def test_calls_that_take_long_may_stand_far_from_where_they_take_effect(request):
    count = 20_000 if request.config.getoption("--soak", default=False) else 5000
    rows = busy_clients("bounded-queue:200", count, 1, values=0, puts=0.65, long=0.03, dies=False)
    assert check(rows, "bounded-queue:200", method="near-linear").ok


def pool_history(seed, blocks):
    """Clients that free what they allocated, with calls that may take long; one answer in some histories is wrong."""
    rng = random.Random(seed)
    free, owned, busy, rows, now = list(range(blocks)), {}, {}, [], 0
    for _ in range(rng.randrange(4, 11)):
        client = min(range(3), key=lambda c: busy.get(c, 0))
        call = busy.get(client, 0) + 1
        now = max(now + 1, call + rng.randrange(3))
        busy[client] = now + rng.choice((0, 0, 0, 1, 9))
        mine = owned.setdefault(client, [])
        if mine and rng.random() < 0.5:
            free.append(mine.pop())
            rows.append(Operation(client, "free", free[-1], True, call, busy[client]))
        else:
            block = free.pop(0) if free else None
            mine += [] if block is None else [block]
            rows.append(Operation(client, "alloc", None, block, call, busy[client]))
    if seed % 2:
        at = rng.randrange(len(rows))
        if rows[at].op == "alloc":
            rows[at] = rows[at]._replace(result=rng.choice([None, *range(blocks)]))
    return rows


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_free_that_returns_late_ends_the_right_tenure(blocks, request):
    count = 100_000 if request.config.getoption("--soak", default=False) else 600
    spec = f"block-pool:{blocks}"
    parsed, model = parse_spec(spec), model_of(spec)
    verdicts = set()
    for seed in range(count):
        ops = pool_history(seed, blocks)
        truth = "OK" if linearizable(ops, model) else "VIOLATION"
        assert check(ops, parsed, counterexample=False).status == truth, (seed, ops)
        fast = check(ops, parsed, method="near-linear", counterexample=False).status
        assert fast in (truth, "UNKNOWN"), (seed, ops)
        verdicts.add(fast)
    assert verdicts == {"OK", "VIOLATION", "UNKNOWN"}
