"""Each public class may be the first thing that a program uses: every call of it, as the first one, in a fresh program.

Modules and C types are made when they are first needed. What one of them leaves to another shows only here: in the
other tests the module that is missing was loaded long ago.
"""

import json
import os
import re
import subprocess
import sys

import pytest
from patience import STUCK

import lockfree

EVERY = {
    # what all objects have
    "closed": "False",
    "name": "None",
    "close()": "None",
    "recover_dead()": "0",
    "peers()[0].pid == os.getpid()": "True",
    "stats() is not None": "True",
    "__enter__() is o": "True",
    "__exit__(None, None, None)": "None",
    "unlink()": "ValueError",
}
WAITS = {
    # what all objects have whose calls wait
    "spin": "'adaptive'",
    "watch(None)": "None",
    "waiting(on_slow=print).__enter__() is o": "True",
}
ARMED = {"arm()": None, "fileno() > 2": "True"}


def calls(*shared, **own):
    """What to call in which state: {state: {call: the representation of the answer, or None: any}}."""
    first = {}
    for found in shared:
        first.update(found)
    first.update(own.pop("new", {}))
    return {"": first, **own}


def of_lock(**more):
    return calls(EVERY, WAITS, ARMED, new={
        "__exit__(None, None, None)": "RuntimeError", "acquire()": "True", "acquire(timeout=0.1)": "True", "try_acquire()": "True", "locked()": "False",
        "release()": "RuntimeError", "recover()": "RuntimeError", "aacquire()": "True", **more,
    })  # fmt: skip


def of_atomic(value="7", *, bits=True, sums=True):
    changed = {"fetch_add": "10", "fetch_sub": "4"} if sums else {}
    changed |= {"fetch_and": "3", "fetch_or": "7", "fetch_xor": "4"} if bits else {}
    new = {
        "load()": value, "value": value, "store(0)": "None", "exchange(0)": value,
        f"compare_exchange({value}, 0)": f"(True, {value})",
    }  # fmt: skip
    new |= {f"{name}(3)": value for name in changed}
    new |= {f"{name}(3), int(o.load())": f"({value}, {after})" for name, after in changed.items()}
    return calls(EVERY, new=new)


def of_ring(record, got=None, **own):
    """Of a ring of records. `record` is what is put, and `got` what `get` gives."""
    got = got or record
    empty = {
        "__len__()": "0", "qsize()": "0", "empty()": "True", "full()": "False", "capacity": "4", "record_size": None,
        "dtype": None, "peer_death": "'wait'", "try_get()": "None", "get(False)": "Empty", "get_nowait()": "Empty",
        "get(timeout=0.001)": "Empty", "peek()": "None", "release()": "RuntimeError", "cancel()": "RuntimeError",
        "lease(False).__enter__()": "Empty", "get_many(3)": "[]", "get_many(3, as_array=True)": None,
        "get_into(bytearray(400))": None, f"put({record})": "None", f"put_nowait({record})": "None",
        f"try_put({record})": "True", f"put_many([{record}] * 2)": "2", f"put_many(iter([{record}] * 2))": "2",
        "reserve() is not None": "True", "commit()": "RuntimeError", "shutdown()": "None",
        f"aput({record})": "None", "aget(timeout=0.001)": "Empty",
    }  # fmt: skip
    full = {
        "get()": got, "try_get()": got, "get_nowait()": got, "get_many(3)": f"[{got}]", "peek()": None, "lease()": None,
        "get_many(3, as_array=True)": None, "aget()": got, "shutdown(immediate=True)": "None", "qsize()": "1",
        "waiting(peer_death='raise').__enter__().get()": got, "lease().__enter__()": None,
    }  # fmt: skip
    full |= {"peek() is not None and o.release()": "None", "reserve() is not None and o.commit()": "None"}
    full |= {"reserve() is not None and o.cancel()": "None"}
    for calls_of, names in ((empty, own.pop("without", ())), (full, own.pop("without_full", ()))):
        for name in names:
            del calls_of[name]
    return calls(EVERY, WAITS, ARMED, new={**empty, **own}, **{f"o.put({record})": full})


def of_priority_queue(record, got=None):
    got = got or record
    empty = {
        "__len__()": "0", "qsize()": "0", "empty()": "True", "full()": "False", "capacity": "4", "record_size": None,
        "dtype": None, "levels": "3", "fronts": "True", "peer_death": "'wait'", "try_get()": "None",
        "get(False)": "Empty", "get_nowait()": "Empty", "peek()": "None", "release()": "RuntimeError",
        "cancel()": "RuntimeError", "lease(False).__enter__()": "Empty", "get_many(3)": None, "get_into(bytearray(400))": None,
        f"put({record}, 1)": "None", f"put_nowait({record}, 1)": "None", f"try_put({record}, 1)": "True",
        f"put_ticket({record}, 1)": None, f"cancel(o.put_ticket({record}, 1))": "True",
        f"put_many([{record}] * 2, 1)": "2", f"put_many([{record}] * 2, [0, 2])": "2",
        f"requeue({record}, 1) is None": "False", "reserve() is not None": "True", "commit(1)": "RuntimeError",
        "shutdown()": "None", f"aput({record}, 1)": "None", "aget(timeout=0.001)": "Empty",
    }  # fmt: skip
    full = {
        "get()": f"(1, {got})", "try_get()": f"(1, {got})", "get_nowait()": f"(1, {got})", "peek()": None,
        "lease()": None, "get_many(3)": None, "get_many(3, as_array=True)": None, "aget()": f"(1, {got})",
    }  # fmt: skip
    full |= {"peek() is not None and o.release()": "None", "reserve() is not None and o.commit(1)": "None"}
    return calls(EVERY, WAITS, ARMED, new=empty, **{f"o.put({record}, 1)": full})


def of_latest(value, got=None):
    got = got or value
    first = {
        "get()": None, "get_versioned()": None, "get_into(bytearray(400))": None, "version": "0", "copies": "4",
        "dtype": None, "record_size": None, "peer_death": "'wait'", f"set({value})": "1", "release_role()": None,
        "wait(timeout=0.001)": "False", "await_(timeout=0.001)": "False",
    }  # fmt: skip
    then = {"get()": got, "get_versioned()": None, "version": "1", "wait(0)": "True", "release_role()": "None"}
    return calls(EVERY, WAITS, new=first, **{f"o.set({value})": then})


def of_messages(message="b'm'", **own):
    empty = {
        "qsize()": "0", "empty()": "True", "peer_death": "'wait'", "free()": None, "block_bytes": None,
        "max_messages": None, "max_message": None, "size_bytes": None, "get(False)": "Empty", "get_nowait()": "Empty",
        "try_get()": "None", "get_many()": "[]", "release()": "RuntimeError", "join()": "True",
        "task_done()": "ValueError", "unfinished()": "0", "shutdown()": "None", f"put({message})": "None",
        f"put_nowait({message})": "None", f"try_put({message})": "True", f"put_many([{message}] * 2)": "2",
        f"put_many(iter([{message}] * 2))": "2", f"aput({message})": "None", "aget(timeout=0.001)": "Empty",
        "peek()": "None", "read(False).__enter__()": "Empty",
    }  # fmt: skip
    full = {
        "get()": message, "try_get()": message, "get_nowait()": message, "get_many()": f"[{message}]",
        "aget()": message, "qsize()": "1", "unfinished()": "1", "task_done()": "None", "peek()": None,
        "read().__enter__()": None, "peek() is not None and o.release()": "None", "shutdown(immediate=True)": "None",
    }  # fmt: skip
    return calls(EVERY, WAITS, ARMED, new={**empty, **own}, **{f"o.put({message})": full})


def of_queue(value):
    found = of_messages(value, **{
        "full()": "False", "maxsize": None, "is_shutdown": "False", "unfinished_tasks": "0", "join_thread()": "None",
        "cancel_join_thread()": "None", "__len__()": "0", "peek()": "TypeError", "read()": "TypeError",
    })  # fmt: skip
    full = found[f"o.put({value})"]
    del found[""]["read(False).__enter__()"]
    for name in ("peek()", "read().__enter__()", "peek() is not None and o.release()"):
        del full[name]
    return found


BROADCAST = calls(
    EVERY, WAITS, ARMED,
    new={
        "get(False)": "RuntimeError", "get_nowait()": "RuntimeError", "try_get()": "RuntimeError",
        "get_many()": "RuntimeError", "peek()": "RuntimeError", "aget()": "RuntimeError",
        "read(False).__enter__()": "RuntimeError",
        "join()": "0", "join(1)": "1", "joined": None, "reader": "None", "readers": "2", "leave()": "RuntimeError",
        "late()": "[]", "max_message": None, "missed": None, "peer_death": "'wait'", "put(b'm')": "None",
        "put_nowait(b'm')": "None", "try_put(b'm')": "True", "put_many([b'm'])": "1", "aput(b'm')": "None",
        "release()": "RuntimeError", "release_role()": "RuntimeError", "reserve(1) is not None": "True",
        "commit()": "RuntimeError", "cancel()": "RuntimeError", "share_roles()": "None", "shutdown()": "None",
        "size_bytes": "256", "slow": "'wait'", "wait_for_readers(timeout=0.001)": "False", "write(1).__enter__() is not None": "True",
        "writer": None,
    },
    **{
        "o.join()": {"get(False)": "Empty", "get_many()": "[]", "peek()": "None", "leave()": "None"},
        "o.join(); o.put(b'm', to=[0])": {
            "get()": "b'm'", "try_get()": "b'm'", "get_nowait()": "b'm'", "get_many()": "[b'm']", "aget()": "b'm'",
            "peek() is not None and o.release()": "None", "read().__enter__() is not None": "True",
            "wait_for_readers(timeout=0.001)": "False", "late()": None, "release_role()": "None",
        },
        "r = o.reserve(1)": {"commit()": "None", "cancel()": "None"},
    },
)  # fmt: skip
SPACE = calls(EVERY, new={
    **{f"{kind}().try_acquire()": "True" for kind in ("mutex", "spinlock", "rlock", "semaphore", "condition")},
    **{f"{kind}('n').peers() is not None": None for kind in ("mutex", "event", "event_count", "rwlock")},
    **{f"atomic('{kind}', 1).exchange(0)": value
       for kind, value in {"u32": "1", "u64": "1", "i64": "1", "f64": "1.0", "flag": "True"}.items()},
    "event().set()": "None", "event_count().prepare()": None, "rwlock().acquire_write()": "True",
    "left > 0": "True", "size_bytes": "65536", "threads": "64",
})  # fmt: skip
ARENA = calls(EVERY, WAITS, new={
    "alloc(100).release()": "True", "alloc(100).view[:1] == b'x'": None, "available": "65536", "drop(bytes(32))": None,
    "huge_pages": None, "max_blocks": None, "open_block(bytes(32))": None, "page_bytes": None, "pending": "0",
    "poll()": "0", "prefault": "False", "reclaim_promises(1)": "0", "shutdown()": "None", "size_bytes": "65536",
    "wants_huge_pages": "False", "open_block(o.alloc(100).handle()).size": "100",
})  # fmt: skip
BLOCK = calls(
    {
        "address > 0": "True", "array().sum()": None, "array('f8', 2).shape": "(2,)", "handle() is not None": "True",
        "release()": "True", "release_when(lambda: True)": "None", "released": "False", "size": "100",
        "view is not None": "True", "__len__()": "100", "__enter__() is o": "True", "__exit__(None, None, None)": "None",
    }
)  # fmt: skip
POOL = calls(
    EVERY, WAITS,
    new={
        "alloc(2).tolist()": "[0, 1]", "alloc(5)": "ValueError", "available": "4", "blocks": "4", "lease > 0": "True",
        "order": None, "persistent": "False", "shutdown()": "None", "free([0])": "ValueError",
        "retain([0])": "ValueError", "references([0])": None, "generations([0])": None, "seal([0])": "ValueError",
        "adopt(1)": "LookupError", "reclaim(1)": None, "supersede(1)": None, "free(o.alloc(2))": "None",
    },
    **{"a = o.alloc(2)": {
        "free(a)": "None", "retain(a)": "None", "references(a)": "[1, 1]", "generations(a) is not None": "True",
        "seal(a) > 0": "True", "adopt(o.seal(a)).tolist()": "[0, 1]", "free(a, o.generations(a))": "None",
        "available": "2", "free([int(n) for n in a])": "None",
    }},
)  # fmt: skip
CONDITION = of_lock(**{
    "wait()": "RuntimeError", "notify()": "RuntimeError", "notify_all()": "RuntimeError", "await_()": "TypeError", "aacquire()": "TypeError",
    "wait_for(lambda: 1)": None,
}) | {"o.acquire()": {
    "wait(0.001)": "False", "notify()": None, "notify(2)": None, "notify_all()": None, "release()": "None",
    "wait_for(lambda: 5)": "5", "locked()": "True",
}}  # fmt: skip
RW = calls(
    EVERY, WAITS,
    new={
        "acquire_read()": "True", "acquire_write()": "True", "aacquire_read()": "True", "aacquire_write()": "True",
        "reading().__enter__()": None, "writing().__enter__()": None, "readers": "0", "writer": None,
        "release_read()": "RuntimeError", "release_write()": "RuntimeError", "recover()": "RuntimeError",
    },
    **{
        "o.acquire_read()": {"readers": "1", "release_read()": "None", "acquire_write(False)": None},
        "o.acquire_write()": {"writer == os.getpid()": None, "release_write()": "None"},
    },
)  # fmt: skip
SEMAPHORE = of_lock(value="1", initial_value="1", max_value=None, **{
    "acquire(n=1)": "True", "try_acquire(1)": "True", "release()": None, "__exit__(None, None, None)": None,
})  # fmt: skip
for _name in ("locked()", "recover()"):
    del SEMAPHORE[""][_name]
EVENT = calls(EVERY, WAITS, ARMED, new={
    "set()": "None", "clear()": "None", "is_set()": "False", "wait(0.001)": "False", "await_(0.001)": "False",
}, **{"o.set()": {"wait()": "True", "await_()": "True", "is_set()": "True", "clear()": "None"}})  # fmt: skip
COUNT = calls(EVERY, WAITS, new={
    "prepare()": None, "notify()": None, "notify(2)": None, "notify_all()": None, "cancel()": None, "wait(0, 0.001)": None,
    "retract(0)": None, "wait_until(lambda: 5)": "5", "await_until(lambda: 5)": "5",
}, **{"t = o.prepare()": {"wait(t, 0.001)": "False", "retract(t)": None}})  # fmt: skip
BARRIER = calls(EVERY, WAITS, new={
    "wait()": "0", "wait(0.1)": "0", "await_()": "0", "abort()": "None", "reset()": "None", "broken": "False",
    "n_waiting": "0", "parties": "1",
})  # fmt: skip

FIELDS = "[('a', 'i4'), ('b', '(2,)f4')]"
SUBJECTS = {
    "Arena(1 << 16)": ARENA,
    "Arena(1 << 16).alloc(100)  # Block": BLOCK,
    "AtomicF64(7)": of_atomic("7.0", bits=False),
    "AtomicFlag(True)": {
        "": {
            **EVERY,
            "load()": "True",
            "value": "True",
            "store(False)": "None",
            "exchange(False)": "True",
            "compare_exchange(True, False)": "(True, True)",
            "test_and_set()": "True",
            "clear()": "None",
        },
    },
    "AtomicI64(7)": of_atomic(),
    "AtomicU32(7)": of_atomic(),
    "AtomicU64(7)": of_atomic(),
    "atomic_view(bytearray(b'\\x07' + bytes(7)))": {"": {"load()": "7", "fetch_add(1)": "7", "value": "7"}},
    "atomic_view(bytearray(8), kind='f64')": {"": {"load()": "0.0", "fetch_add(1)": "0.0", "exchange(2)": "0.0"}},
    "Barrier(1)": BARRIER,
    "BlockPool(4)": POOL,
    "BlockPool(4, order='lifo')": POOL,
    "BroadcastRing(256, 2)": BROADCAST,
    "Condition()": CONDITION,
    "Event()": EVENT,
    "EventCount()": COUNT,
    "JoinableQueue(4)": of_queue("{'a': [1]}"),
    "LatestValue(8)": of_latest("b'12345678'"),
    "LatestValue(dtype='f8')": of_latest("1.5"),
    f"LatestValue(dtype={FIELDS})": of_latest("(1, [2, 3])", "(1, [2., 3.])"),
    "LatestValue(dtype='(3,)u2')": of_latest("[1, 2, 3]", "array([1, 2, 3], dtype=uint16)"),
    "MPMCRing(4, 8)": of_ring("b'record'"),
    "MPMCRing(4, 100_000)": of_ring("b'record'"),
    "MPMCRing(4, dtype='i4')": of_ring("7"),
    f"MPMCRing(4, dtype={FIELDS})": of_ring("(1, [2, 3])", "(1, [2., 3.])"),
    "MPMCRing(4, dtype='m8[s]')": of_ring("5", "timedelta64(5,'s')"),
    "MPMCRing(4, dtype='(50000,)u2')": of_ring(
        "[7] * 50_000", "array([7, 7, 7, ..., 7, 7, 7], shape=(50000,), dtype=uint16)"
    ),
    "MessageRing(256, 64)": of_messages(),
    "Mutex()": of_lock(),
    "PriorityQueue(4, 8, 3, fronts=True)": of_priority_queue("b'record'"),
    "PriorityQueue(4, dtype='i4', levels=3, fronts=True)": of_priority_queue("7"),
    "Queue(4)": of_queue("{'a': [1]}"),
    "Queue()": of_queue("b'bytes'"),
    "RLock()": of_lock(**{"aacquire()": "TypeError", "fileno() > 2": "TypeError"}),
    "RWLock()": RW,
    "SPSCRing(4, 8)": of_ring("b'record'", **{"release_role('producer')": None}),
    "SPSCRing(4, dtype='i4')": of_ring("7", **{"release_role('consumer')": None}),
    "Semaphore()": SEMAPHORE,
    "SimpleQueue()": of_queue("{'a': [1]}"),
    "Space(1 << 16)": SPACE,
    "SpinLock()": of_lock(),
}
_seen = set()
for _make, _found in SUBJECTS.items():  # what all objects have need not be asked of each dtype
    if (_kind := _make.split("(")[0]) in _seen and "#" not in _make:
        _own = {call: answer for call, answer in _found[""].items() if call not in {**EVERY, **WAITS, **ARMED}}
        SUBJECTS[_make] = {**_found, "": _own}
    _seen.add(_kind)

PROGRAM = """
import json, os, sys

def run(program):
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        assert not {"lockfree", "numpy", "asyncio", "multiprocessing", "cffi"} & set(sys.modules)
        try:
            try:
                said = program()
            except Exception as error:
                said = type(error).__name__ + ": " + str(error)
            os.write(writable, str(said).encode())
        finally:
            os._exit(0)
    os.close(writable)
    with open(readable, "rb") as stream:
        said = stream.read().decode()
    ended = os.waitpid(child, 0)[1]
    return said if ended == 0 else f"ended with the status {ended}"

def first(make, before, call):
    def program():
        import lockfree
        names = {"lockfree": lockfree, "os": os, "o": eval(make)}
        exec(before, names)
        answer = eval("o." + call, names)
        if hasattr(answer, "__await__"):
            import asyncio
            async def wait():
                return await answer
            answer = asyncio.run(wait())
        return repr(answer)
    return run(program)

print(json.dumps([first(*words) for words in json.load(sys.stdin)]))
"""


def plain(text):
    """Without what a release of NumPy adds when it writes a scalar or an array."""
    text = re.sub(r"\b(?:np|numpy)\.|, dtype=\[.*?\)\]|, shape=\(\d+,\)", "", text.replace("np.void((", "void(("))
    text = re.sub(r"\bvoid\((\(.*?\))\)", r"\1", text)
    text = re.sub(r"\b(?:int32|float64)\((.*?)\)", r"\1", text)
    return text.replace(".0", ".").replace(" ", "")


def same(said, right):
    """Whether it is the right answer. An exception is told by its type."""
    if right is None:
        return not re.match("ended|SystemError|NameError|AttributeError|ImportError", said)
    if right.isalpha() and right not in ("True", "False", "None"):
        return said.startswith(right + ":")
    return plain(said) == plain(right)


def ask(cases, pure):
    """What each first call of a program answers, or how its exception begins."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(cases), capture_output=True, text=True, timeout=STUCK,
        env={**os.environ, "LOCKFREE_PURE_CFFI": str(int(pure))}, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("pure", [False, True], ids=["C types", "pure"])
@pytest.mark.parametrize("make", SUBJECTS)
def test_every_call_may_be_the_first_of_a_program(make, pure):
    cases = [(f"lockfree.{make}", before, call) for before, found in SUBJECTS[make].items() for call in found]
    right = [answer for found in SUBJECTS[make].values() for answer in found.values()]
    answers = zip(cases, ask(cases, pure), right, strict=True)
    assert not [(case[1:], said, answer) for case, said, answer in answers if not same(said, answer)]


def test_no_class_and_no_call_is_left_out():
    called = {}
    for make, found in SUBJECTS.items():
        kind = "Block" if make.endswith("# Block") else make.split("(")[0]
        called.setdefault(kind, set()).update(
            name for state in found.values() for call in state for name in re.findall(r"(?:^|o\.)(\w+)", call)
        )
    kinds = [name for name in lockfree.__all__ if isinstance(getattr(lockfree, name), type)]
    kinds = [name for name in kinds if not issubclass(getattr(lockfree, name), BaseException)]
    missing = {kind for kind in kinds if kind not in called}
    for kind in set(kinds) - missing:
        names = {name for name in dir(getattr(lockfree, kind)) if not name.startswith("_")}
        missing |= {f"{kind}.{name}" for name in names - called[kind] - {"attach", "open"}}
    assert not missing
