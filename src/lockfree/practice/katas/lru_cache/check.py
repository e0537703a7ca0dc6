"""What the judge runs. A text in brackets names the diagnosis."""

import threading
import time


class Store:
    """What is slow. Each load of a key takes a second and returns another value: a1, a2, …"""

    def __init__(self, broken=()):
        self.broken = list(broken)
        self.lock = threading.Lock()
        self.loads = []

    def load(self, key):
        with self.lock:
            self.loads.append(key)
            value = f"{key}{self.loads.count(key)}"
        time.sleep(1)
        if value in self.broken:
            raise LookupError(f"no such row: {value}")
        return value


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def raises(error, call):
    try:
        call()
    except error:
        return True
    return False


def expect(cache, key, value, says):
    got = cache.get(key)
    assert got == value, f"{says}: get({key!r}) returned {got!r} instead of {value!r}"


def edges_hit(answer):
    store = Store()
    cache = answer.Cache(2, 100, store.load)
    expect(cache, "a", "a1", "[L8] the first load")
    expect(cache, "a", "a1", "[L8] it is in the table")
    assert store.loads == ["a"], f"[L8] loads: {store.loads}"
    assert len(cache) == 1, f"[L8] len() is {len(cache)}, and one entry is inside"


def edges_values_that_are_false(answer):
    """A value is whatever the store says, also nothing."""
    for value in (None, 0, "", ()):
        loads = []

        def load(key, value=value, loads=loads):
            loads.append(key)
            return value

        cache = answer.Cache(2, 100, load)
        for _ in range(2):
            expect(cache, "a", value, "[L8] a value that counts as false")
        assert loads == ["a"], f"[L8] {value!r} is in the table, and was loaded again"
        assert len(cache) == 1, f"[L8] len() is {len(cache)}, and the entry of {value!r} is inside"


def edges_time_to_live(answer):
    store = Store()
    cache = answer.Cache(2, 10, store.load)
    expect(cache, "a", "a1", "[L8] the first load")
    for _ in range(3):
        time.sleep(3)
        expect(cache, "a", "a1", "[L3] it is younger than 10 s")
    time.sleep(1)
    expect(cache, "a", "a2", "[L3] it is 10 s old")
    time.sleep(9)
    expect(cache, "a", "a2", "[L3] it is 9 s old")
    assert len(cache) == 1, f"[L4] len() is {len(cache)}, and there is one key"


def edges_least_recent_goes(answer):
    store = Store()
    cache = answer.Cache(2, 100, store.load)
    for key in "abac":
        cache.get(key)
    assert len(cache) == 2, f"[L4] {len(cache)} entries are inside, and the capacity is 2"
    expect(cache, "a", "a1", "[L4] a was used after b")
    expect(cache, "c", "c1", "[L4] c is the newest")
    expect(cache, "b", "b2", "[L4] b was evicted")
    expect(cache, "a", "a2", "[L4] then a was the least recent one")


def edges_failed_load(answer):
    store = Store(broken=["a1"])
    cache = answer.Cache(2, 100, store.load)
    assert raises(LookupError, lambda: cache.get("a")), "[L6] the exception of load() comes out of get()"
    assert len(cache) == 0, "[L6] a failed load leaves no entry"
    expect(cache, "a", "a2", "[L6] the next get() loads anew")


def edges_drop(answer):
    store = Store()
    cache = answer.Cache(2, 100, store.load)
    cache.drop("a")
    cache.get("a")
    cache.drop("a")
    assert len(cache) == 0, "[L7] drop() removes the entry"
    expect(cache, "a", "a2", "[L7] it was dropped")


def schedules_one_load(answer):
    store, got = Store(), {}
    cache = answer.Cache(1, 100, store.load)

    def first():
        got["first"] = cache.get("a")

    def second():
        got["second"] = cache.get("a")

    together(first, second)
    assert store.loads == ["a"], f"[L2] a was loaded {len(store.loads)} times"
    assert list(got.values()) == ["a1", "a1"], f"[L8] got {got}"


def schedules_one_load_after_expiry(answer):
    store, got = Store(), {}
    cache = answer.Cache(2, 5, store.load)
    cache.get("a")
    time.sleep(5)

    def first():
        got["first"] = cache.get("a")

    def second():
        got["second"] = cache.get("a")

    together(first, second)
    assert store.loads == ["a", "a"], f"[L2] a was loaded {len(store.loads) - 1} times after it had expired"
    assert list(got.values()) == ["a2", "a2"], f"[L3] got {got}"


def schedules_two_keys(answer):
    """Two loads run at the same time; the table has room for one."""
    store, got = Store(), {}
    cache = answer.Cache(1, 100, store.load)
    began = time.monotonic()

    def first():
        got["first"] = cache.get("a")

    def second():
        got["second"] = cache.get("b")

    together(first, second)
    took = time.monotonic() - began
    assert took < 2, f"[L5] two loads of 1 s each took {took:g} s"
    assert got == {"first": "a1", "second": "b1"}, f"[L8] got {got}"
    assert len(cache) == 1, f"[L4] {len(cache)} entries are inside, and the capacity is 1"


def schedules_hit_meets_eviction(answer):
    store, got = Store(), {}
    cache = answer.Cache(1, 100, store.load)
    cache.get("a")

    def evicts():
        got["b"] = cache.get("b")

    def finds():
        time.sleep(1)
        got["a"] = cache.get("a")

    together(evicts, finds)
    assert got["a"] in {"a1", "a2"}, f"[L8] got {got}"
    assert got["b"] == "b1", f"[L8] got {got}"
    assert len(cache) == 1, f"[L4] {len(cache)} entries are inside, and the capacity is 1"


def schedules_waiter_meets_eviction(answer):
    """The entry is evicted before the one who waited for its load runs."""
    store, got = Store(), {}
    cache = answer.Cache(1, 100, store.load)

    def leads():
        cache.get("a")

    def waits():
        got["a"] = cache.get("a")

    together(leads, waits, lambda: cache.get("b"))
    assert got["a"] in {"a1", "a2"}, f"[L8] got {got}"


def schedules_failed_load(answer):
    store, failed = Store(broken=["a1", "a2"]), {}
    cache = answer.Cache(1, 100, store.load)

    def first():
        failed["first"] = raises(LookupError, lambda: cache.get("a"))

    def second():
        failed["second"] = raises(LookupError, lambda: cache.get("a"))

    together(first, second)
    assert list(failed.values()) == [True, True], "[L6] all who wait for a failed load raise its exception"
    assert len(cache) == 0, "[L6] a failed load leaves no entry"


def schedules_again_after_a_failure(answer):
    """Who got the exception asks again at once. That is a new load, even if the thread of the first is held up."""
    store, got = Store(broken=["a1"]), []
    cache = answer.Cache(1, 100, store.load)

    def asks():
        if raises(LookupError, lambda: got.append(cache.get("a"))):
            again = raises(LookupError, lambda: got.append(cache.get("a")))
            assert not again, "[L6] the exception of a load that was over came out of a get() that began after it"

    together(asks, asks)
    assert got == ["a2", "a2"], f"[L6] got {got}"


def schedules_drop_meets_load(answer):
    store, got = Store(), {}
    cache = answer.Cache(2, 100, store.load)

    def loads():
        got["before"] = cache.get("a")

    def drops():
        time.sleep(0.5)
        begun = len(store.loads)
        cache.drop("a")
        got["after"] = cache.get("a")
        assert len(store.loads) > begun, f"[L7] get() after drop() returned {got['after']!r}, loaded before it"

    together(loads, drops)
    assert got == {"before": "a1", "after": "a2"}, f"[L7] got {got}"
    expect(cache, "a", "a2", "[L7] a1 is from before the drop")


def schedules_drop_alone(answer):
    store = Store()
    cache = answer.Cache(2, 100, store.load)

    def loads():
        cache.get("a")

    def drops():
        time.sleep(1)
        cache.drop("a")

    together(loads, drops)
    expect(cache, "a", "a2", "[L7] a1 is from before the drop")


def schedules_drop_meets_failure(answer):
    store, said = Store(broken=["a1"]), []
    cache = answer.Cache(1, 100, store.load)

    def loads():
        try:
            cache.get("a")
        except LookupError as error:
            said.append(str(error))

    def drops():
        time.sleep(1)
        cache.drop("a")
        expect(cache, "a", "a2", "[L7] a1 is from before the drop")

    together(loads, drops)
    assert said == ["no such row: a1"], f"[L6] load() raised 'no such row: a1', and get() raised {said}"
