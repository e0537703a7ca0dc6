"""check(): limits, specifications of one's own, keys, cancelling; and the shape of counterexamples."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from patience import STUCK

from linearizability.brute import linearizable, model_of
from linearizability.generate import history
from lockfree.linearizability import History, Operation, check, checker, parse_spec


class Register:
    init = 0

    def step(self, state, op):
        if op.op == "write":
            return [op.arg]
        return [state] if op.return_ is None or op.result == state else []


class Coin:
    """Non-deterministic: a toss shows either side; `seen` shows the last toss."""

    init = "none"

    def step(self, state, op):
        return ["heads", "tails"] if op.op == "toss" else [state] if op.result == state else []


def test_a_specification_of_ones_own():
    good = [Operation(0, "write", 3, True, 0, 5), Operation(1, "read", None, 3, 2, 9)]
    assert check(good, Register()).ok
    verdict = check([good[0], Operation(1, "read", None, 0, 6, 9)], Register())
    assert verdict.status == "VIOLATION"
    assert "read→0" in verdict.reason


class Account:
    """Balance; a withdrawal that would not leave anything answers False."""

    init = 0

    def step(self, state, op):
        if op.op == "pay":
            return [state + op.arg]
        covered = op.arg < state
        if op.return_ is not None and op.result is not covered:
            return []
        return [state - op.arg if covered else state]


def test_the_counterexample_of_ones_own_specification_is_wrong_by_itself_from_its_state():
    rng, rows, balance = random.Random(5), [], 0
    for at in range(600):  # by two clients, with instants at which nobody runs
        amount = rng.randrange(1, 9)
        pays = rng.random() < 0.3
        result = None if pays else amount < balance
        balance += amount if pays else -amount * bool(result)
        rows.append(
            Operation(at % 2, "pay" if pays else "draw", amount, result, 10 * at, 10 * at + 4 + 8 * (at % 3 == 0))
        )
    late = next(i for i in range(500, 600) if rows[i].result is False)
    rows[late] = rows[late]._replace(result=True)
    verdict = check(rows, Account())
    assert verdict.status == "VIOLATION"
    assert len(verdict.operations) < 10
    assert verdict.start == repr(verdict.state[0])
    from_there = Account()
    from_there.init = verdict.state[0]
    assert check(verdict.operations, from_there).status == "VIOLATION"
    assert check(rows[:late], Account()).ok


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        # an addition that never returned does not explain a value that it jumps over
        (
            [
                Operation(3, "fetch_add", 1, 0, 1, 4),
                Operation(4, "fetch_add", 2, None, 2, None),
                Operation(1, "fetch_add", 2, 2, 5, 6),
            ],
            "fetch_add(2)→2, but no operation made the value go on from 1",
        ),
        ([Operation(0, "fetch_add", 5, 0, 1, 2), Operation(1, "fetch_add", 1, 3, 5, 6)], "cannot both be right"),
    ],
)
def test_the_sentence_about_a_counter_is_true(rows, said):
    verdict = check(rows, "counter")
    assert said in verdict.reason
    assert sorted(verdict.operations) == sorted(rows)


def test_a_batch_that_is_narrowed_by_its_refusal_is_not_said_to_have_returned():
    rows = [Operation(0, "put", value, True, 0, 100, batch=1) for value in (1, 2, 3, 4)]
    rows.append(Operation(0, "put", 5, False, 0, 100, batch=1))
    rows += [Operation(1, "get", None, 1, 10, 12), Operation(1, "get", None, 2, 13, 15)]
    rows += [Operation(1, "put", 90, True, 16, 18), Operation(1, "get", None, 90, 19, 21)]
    verdict = check(rows, "bounded-queue:4,full=in-hand")
    assert "put(3) must come before put(90), as the other answers of its batch show, but get→90 came" in verdict.reason


def test_a_specification_may_leave_the_outcome_open():
    rows = [Operation(0, "toss", None, None, 0, 5), Operation(0, "seen", None, "tails", 6, 9)]
    assert check(rows, Coin()).ok
    assert not check([*rows, Operation(0, "seen", None, "heads", 10, 12)], Coin())


class Coins:
    """States are what was drawn so far; raises in the states of `bad`, also for operations that it has seen before."""

    init: tuple = ()

    def __init__(self, bad=(), most=1):
        self.bad, self.most = bad, most

    def step(self, state, op):
        if (*state, op.arg) in self.bad:
            raise KeyError("drawn")
        for k in range(self.most):
            yield (*state, op.arg + 10 * k)


def test_a_specification_may_answer_with_a_generator_of_many_states():
    rows = [Operation(i, "draw", i, None, 0, 10) for i in range(2)]
    assert check(rows, Coins(most=100)).ok
    assert check(rows, Coins(most=0)).status == "VIOLATION"


def test_an_exception_of_a_step_comes_out_whole_wherever_it_happens():
    rows = [Operation(i, "draw", i, None, i, 10 - i) for i in range(4)]
    rows.append(Operation(4, "lose", 9, None, 12, 13))
    spec = Coins(bad=[(2, 1, 0, 3, 9)])
    spec.step = lambda state, op: [] if op.op == "lose" and state != (2, 1, 0, 3) else Coins.step(spec, state, op)
    with pytest.raises(KeyError, match="drawn") as caught:
        check(rows, spec)
    assert caught.traceback[-1].name == "step"


@pytest.mark.parametrize(("spec", "put"), [("queue", "put"), ("stack", "push"), ("unordered-queue", "put")])
def test_a_full_of_what_has_no_bound_is_wrong_alone(spec, put):
    rows = [Operation(0, put, i, i != 20, 2 * i, 2 * i + 1) for i in range(40)]
    verdict = check(rows, spec)
    assert (verdict.status, verdict.minimal, verdict.operations) == ("VIOLATION", True, [rows[20]])
    assert "unbounded" in verdict.reason


def test_what_a_specification_raises_comes_out():
    class Broken:
        init = 0

        def step(self, state, op):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check([Operation(0, "x", None, None, 0, 5)], Broken())


def test_different_keys_are_different_objects():
    rows = [Operation(0, "write", 1, True, 0, 5, "a"), Operation(1, "read", None, None, 6, 9, "b")]
    assert check(rows, "register").ok
    assert not check([rows[0], rows[1]._replace(key="a")], "register")


def test_elements_of_sets_with_different_keys_are_different():
    rows = [Operation(0, "add", 1, True, 0, 1, "a"), Operation(0, "add", 1, True, 2, 3, "b")]
    assert check([*rows, Operation(0, "add", 2, True, 4, 5, "a")], "set").ok
    assert not check([*rows, Operation(0, "add", 1, True, 4, 5, "a")], "set")


def test_a_batch_orders_what_it_does_to_different_elements():
    """Each element by itself could be explained; the two batches say that each came before the other."""
    batches = [
        Operation(0, "contains", "x", True, 0, 9, batch=1),
        Operation(0, "add", "y", True, 0, 9, batch=1),
        Operation(1, "contains", "y", True, 0, 9, batch=1),
        Operation(1, "add", "x", True, 0, 9, batch=1),
    ]
    assert not check(batches, "set")
    assert check([row._replace(batch=0, client=i) for i, row in enumerate(batches)], "set").ok
    keyed = [
        Operation(0, "get", None, 5, 0, 9, "x", 1),
        Operation(0, "put", 6, True, 0, 9, "y", 1),
        Operation(1, "get", None, 6, 0, 9, "y", 1),
        Operation(1, "put", 5, True, 0, 9, "x", 1),
    ]
    assert not check(keyed, "map")
    verdict = check(keyed, "queue")
    assert verdict.status == "UNKNOWN"
    assert "a batch over several keys" in verdict.reason


def hard(n: int = 24) -> list[Operation]:
    """Equal values, everything concurrent: nothing but the search, which explodes."""
    rng = random.Random(1)
    rows = [Operation(i, "push", rng.randrange(6), True, i, 1000 + i) for i in range(n)]
    return rows + [Operation(n + i, "pop", None, rng.randrange(6), i, 1000 + i) for i in range(n)]


def test_a_time_limit_is_unknown_and_kept():
    started = time.monotonic()
    verdict = check(hard(), "stack", timeout=0.3)
    assert (verdict.status, verdict.reason) == ("UNKNOWN", "the time limit was reached")
    assert time.monotonic() - started < 1.5


def test_a_memory_limit_is_unknown_and_kept():
    verdict = check(hard(), "stack", memory=20 << 20, timeout=30)
    assert (verdict.status, verdict.reason) == ("UNKNOWN", "the memory limit was reached")
    assert verdict.peak_bytes <= 20 << 20


class Pile:
    """A stack that keeps every state that it was ever in."""

    init = ()

    def step(self, state, op):
        if op.op == "push":
            return [(*state, op.arg)]
        return [state[:-1]] if state and op.result in (None, state[-1]) else []


def test_a_memory_limit_holds_for_the_states_of_ones_own_specification():
    before = checker._resident()
    verdict = check(hard(), Pile(), memory=30 << 20, timeout=STUCK)
    assert (verdict.status, verdict.reason) == ("UNKNOWN", "the memory limit was reached")
    assert checker._resident() - before < 60 << 20


def test_a_hard_object_does_not_hide_the_violation_of_another():
    rows = [o._replace(key="hard") for o in hard(40)]
    rows += [Operation(100, "push", 1, True, 1, 2, "easy"), Operation(100, "pop", None, 2, 3, 4, "easy")]
    verdict = check(rows, "stack", timeout=20)
    assert verdict.status == "VIOLATION"
    assert {o.key for o in verdict.operations} == {"easy"}


def cpu_seconds(pid, children=False):
    """What a process has used of a processor, or those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[13:15] if children else fields[11:13])) / os.sysconf("SC_CLK_TCK")


def test_ctrl_c_answers_at_once(tmp_path):
    path = tmp_path / "h.jsonl"
    History.from_operations(hard(40)).save(path)
    code = "import sys; from lockfree.linearizability.cli import main; sys.exit(main(sys.argv[1:]))"
    html = tmp_path / "out.html"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "check", str(path), "--spec", "stack", "--html", str(html)], stderr=subprocess.PIPE
    )
    while len(os.listdir(f"/proc/{process.pid}/task")) == 1:  # the search is a thread of its own
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.2)
    others, used = cpu_seconds("self", children=True), cpu_seconds(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=STUCK)
    assert cpu_seconds("self", children=True) - others - used < 1  # by its own clock: others may have the machine
    assert process.returncode == 2
    assert b"interrupted" in err
    assert not html.exists()


@pytest.mark.parametrize(
    "text",
    ["quue", "queue:x", "mutex:3", "bounded-queue", "semaphore", "queue,full=maybe", "register,max=3", "queue:0"],
)
def test_an_unknown_specification_is_refused(text):
    with pytest.raises(ValueError):
        parse_spec(text)


def test_an_empty_history_is_ok():
    assert check([], "queue").ok


EVERY_SPEC = [
    "queue", "bounded-queue:2", "bounded-queue:2,full=in-hand", "priority-queue", "stack", "stack:2", "register",
    "register,initial=0", "counter", "semaphore:2", "semaphore:1,max=2", "mutex", "rwlock", "set", "map", "block-pool",
    "log",
]  # fmt: skip


def start_of(verdict, model):
    """The state in which a counterexample begins, as the enumeration has it."""
    words = verdict.state
    if not words:
        return model.init
    kind = type(model).__name__
    if kind in ("Counter", "Semaphore"):
        return words[0]
    if kind == "Mutex":
        return words[0] - 1 if words[0] else None
    if kind == "RWLock":
        return tuple(w for w in words if w >= 0), next((-w - 1 for w in words if w < 0), None)
    assert kind in ("Set", "Map"), kind
    null = -(1 << 63)
    pairs = zip(words[::2], words[1::2], strict=True)
    return frozenset((k - 1 if k else None, None if v == null else v) for k, v in pairs)


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 1 << 40), spec=st.sampled_from(EVERY_SPEC), size=st.sampled_from([4, 8, 11, 16]), equal=...)
@example(seed=2319, spec="bounded-queue:2,full=in-hand", size=11, equal=False)
@example(seed=366, spec="bounded-queue:2,full=in-hand", size=16, equal=False)
@example(seed=1369, spec="priority-queue:3", size=16, equal=False)
def test_a_counterexample_is_wrong_by_itself_and_no_value_can_be_left_out(seed: int, spec, size, equal: bool):
    ops = history(spec, seed, ops=size, clients=3, equal=equal)
    parsed, model = parse_spec(spec), model_of(spec)

    def wrong(rows):
        return not linearizable(rows, model, full=parsed.full, empty=parsed.empty)

    verdict = check(ops, spec)
    assert (verdict.status == "VIOLATION") == wrong(ops)
    if verdict.ok:
        return
    core = verdict.operations
    model.init = start_of(verdict, model)
    assert wrong(core)
    by_values = spec.startswith(("queue", "bounded-queue", "priority-queue", "stack", "log"))
    if not by_values or equal or verdict.rule == "NOT_FULL" or verdict.method == "search":
        return
    if any(o.result is False for o in core):
        return

    def value(o):
        x = o.arg if o.op in ("put", "push", "append") else o.result
        return tuple(x) if isinstance(x, list) else x

    for v in {value(o) for o in core if value(o) is not None}:
        assert not wrong([o for o in core if value(o) != v]), "a value could be left out"
    for o in core:
        if o.op in ("get", "pop", "read") and o.result is None and o.return_ is not None:
            assert not wrong([x for x in core if x is not o]), "an answer could be left out"


@pytest.mark.parametrize(("slow", "attempted"), [(0.03, 1000), (1.6, 0)])
def test_a_counterexample_is_as_small_where_others_have_the_processor(slow, attempted, monkeypatch):
    class Late(Account):
        calls, late_at = 0, -1

        def step(self, state, op):
            self.calls += 1
            if self.calls == self.late_at:
                time.sleep(slow)
            return super().step(state, op)

    rows = [Operation(0, "pay", 1, None, 10 * t, 10 * t + 5) for t in range(59)]
    rows.append(Operation(0, "draw", 100, True, 1000, 1001))
    prompt, late = Late(), Late()
    monkeypatch.setattr(checker, "_SMALL", 0)
    check(rows, prompt, counterexample=False)
    monkeypatch.setattr(checker, "_SMALL", attempted)  # up to so many operations there is a short attempt first
    late.late_at = prompt.calls + 2  # the search is over, and this is about making it small
    verdict = check(rows, late)
    assert late.calls > late.late_at
    assert verdict.minimal
    assert len(verdict.operations) == 1


@pytest.mark.parametrize("rounds", [3, 500])
def test_what_was_before_everything_was_taken_is_left_out_also_where_full_is_the_reason(rounds):
    calls = []
    for value in range(rounds):
        calls += [("put", value, None), ("get", None, value)]
    calls += [("put", rounds, None), ("put", rounds + 1, False), ("get", None, rounds), ("put", rounds + 2, False)]
    ops = [Operation(0, op, arg, result, 2 * t, 2 * t + 1) for t, (op, arg, result) in enumerate(calls)]
    verdict = check(ops, "bounded-queue:1")
    assert verdict.status == "VIOLATION"
    assert [o.arg for o in verdict.operations] == [rounds + 2]
    assert check(ops[:-1], "bounded-queue:1").ok


def test_a_list_of_two_is_one_value_where_there_are_no_priorities():
    rows = [Operation(0, "put", [1, 7], True, 0, 5), Operation(1, "get", None, [2, 7], 6, 9)]
    assert not check(rows, "queue")
    assert check([rows[0], rows[1]._replace(result=[1, 7])], "queue").ok
    assert check([rows[0], rows[1]._replace(result=[1, 7])], "priority-queue").ok


def test_null_is_the_answer_for_an_absent_key_and_for_a_null_value():
    rows = [Operation(0, "put", None, True, 0, 5, "k"), Operation(1, "get", None, None, 6, 9, "k")]
    assert check(rows, "map").ok
    assert check([*rows, Operation(1, "contains", None, True, 10, 12, "k")], "map").ok
    assert not check([*rows, Operation(1, "contains", None, False, 10, 12, "k")], "map")


@pytest.mark.parametrize(("spec", "put", "get", "seen"), [("queue", "put", "get", 1), ("stack", "push", "pop", 2)])
def test_a_peek_sees_what_the_next_get_takes(spec, put, get, seen):
    rows = [
        Operation(0, put, 1, True, 0, 5),
        Operation(0, put, 2, True, 6, 9),
        Operation(1, "peek", None, seen, 10, 12),
        Operation(1, get, None, seen, 13, 14),
    ]
    assert check(rows, spec).ok
    assert not check([*rows[:2], rows[2]._replace(result=3 - seen)], spec)
    assert not check([*rows[:2], rows[2]._replace(result=None)], spec)


def test_a_ticket_is_no_priority():
    rows = [Operation(0, "put", 1, True, 0, 5, ticket=7), Operation(0, "put", 2, True, 6, 9, ticket=3)]
    for spec, first in (("priority-queue", 1), ("priority-queue", 2), ("unordered-queue", 1), ("unordered-queue", 2)):
        verdict = check([*rows, Operation(0, "get", None, first, 10, 11)], spec)
        assert verdict.ok is (spec == "unordered-queue" or first == 1)


@pytest.mark.parametrize("keys", [2, 3, 4, 5])
def test_a_time_out_never_makes_a_violation(keys):
    """Wherever it falls, such as into the middle of a sort."""
    rows, now = [], 0
    for turn in range(1500):
        for op, holds in (("acquire", True), ("acquire", False), ("release", True)):
            about = {"client": (turn * 7 + (not holds)) % 5, "key": turn % keys, "op": op, "result": holds}
            rows.append({**about, "arg": 1, "call": now, "return": now + 1})
            now += 2
    rows.sort(key=lambda row: row["client"])
    history = History.from_operations(rows)
    assert check(history, "mutex").ok
    found = {check(history, "mutex", timeout=us * 1e-6, counterexample=False).status for us in range(1, 1500, 5)}
    assert "VIOLATION" not in found
    assert "UNKNOWN" in found, "no time-out fell into the check"


def test_the_memory_limit_holds_for_large_states():
    class Large:
        init = b""
        made = 0

        def step(self, state, op):
            self.made += 1
            return [bytes(1 << 20) + str(op.arg).encode()]

    spec = Large()
    history = [Operation(0, "put", i, True, 2 * i, 2 * i + 1) for i in range(200)]
    verdict = check(history, spec, memory=20 << 20)
    assert (verdict.status, verdict.reason) == ("UNKNOWN", "the memory limit was reached")
    assert spec.made < 100


def test_the_memory_is_looked_at_for_states_that_may_be_large_only(monkeypatch):
    """A look takes longer than a small check."""

    class Last:
        init = ""

        def __init__(self, size):
            self.size = size

        def step(self, state, op):
            return [op.arg * self.size]

    looks = []
    monkeypatch.setattr(checker, "_resident", lambda: looks.append(1) or 0)
    history = [Operation(0, "put", str(i), True, 2 * i, 2 * i + 1) for i in range(10, 90)]
    assert check(history, Last(1)).ok
    assert not looks
    assert check(history, Last(1000)).ok
    assert looks


@pytest.mark.parametrize("spec", ["queue", "bounded-queue:5"])
def test_the_reason_says_nothing_that_the_history_contradicts(spec):
    """Without one put and one get of 2, the rest would say that nobody had put 2."""
    rows = [Operation(0, "put", x, True, 2 * i, 2 * i + 1) for i, x in enumerate((1, 2, 2))]
    rows += [Operation(i, "get", None, 2, 10, 12) for i in (1, 2)] + [Operation(0, "get", None, 2, 14, 16)]
    verdict = check(rows, spec)
    assert verdict.status == "VIOLATION"
    assert verdict.rule not in ("NEVER_PUT", "TAKEN_TWICE")
    assert [o.op for o in verdict.operations].count("put") >= 2
