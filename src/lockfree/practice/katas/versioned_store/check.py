"""What the judge runs. A text in brackets names the diagnosis."""

import threading


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def expect(store, key, at, value, says):
    got = store.get(key, at)
    assert got == value, f"{says}: get({key!r}, {at}) returned {got!r} instead of {value!r}"


def edges_versions(answer):
    store = answer.Store()
    expect(store, "a", 5, None, "[V5] nothing was put")
    store.put("a", "x", 10)
    store.put("a", "y", 20)
    for at, value in ((9, None), (10, "x"), (19, "x"), (20, "y"), (1000, "y")):
        expect(store, "a", at, value, "[V5] x is from 10 on, y from 20 on")
    expect(store, "b", 20, None, "[V5] another key")
    store.put("a", "z", 20)
    expect(store, "a", 20, "z", "[V5] the later put with the same stamp counts")
    expect(store, "a", 19, "x", "[V5] the version before is as it was")


def edges_late_puts(answer):
    store = answer.Store()
    for at in (30, 10, 20):
        store.put("a", f"from {at}", at)
    for at in (10, 20, 30):
        expect(store, "a", at, f"from {at}", "[V3] the stamps arrived as 30, 10, 20")
        expect(store, "a", at + 5, f"from {at}", "[V3] the stamps arrived as 30, 10, 20")
    store.put("a", "again", 10)
    expect(store, "a", 15, "again", "[V5] the later put with the same stamp counts")
    expect(store, "a", 30, "from 30", "[V3] a late put changes nothing after the next stamp")


def edges_all(answer):
    store = answer.Store()
    store.put_all({"b": 1, "a": 2}, 10)
    store.put_all({"a": 3}, 20)
    store.put_all({}, 30)
    got = store.get_all(["a", "b", "c", "a"], 10)
    assert got == {"a": 2, "b": 1, "c": None}, f"[V5] get_all() at 10 returned {got}"
    got = store.get_all(["b", "a"], 25)
    assert got == {"a": 3, "b": 1}, f"[V5] get_all() at 25 returned {got}"
    assert store.get_all([], 25) == {}, "[V5] no keys"


def edges_what_is_put_is_kept(answer):
    """The dictionary of put_all() is the caller's, and any object is a value."""
    store, changes = answer.Store(), {"a": 1, "b": {"b": 2}}
    store.put_all(changes, 5)
    changes["a"] = 7
    changes.clear()
    expect(store, "a", 9, 1, "[V5] the caller changed its dictionary after put_all()")
    expect(store, "b", 9, {"b": 2}, "[V5] a value that is a dictionary")
    keys = ["a"]
    got = store.get_all(keys, 9)
    got["a"] = 7
    expect(store, "a", 9, 1, "[V5] the caller changed what get_all() returned")


def schedules_two_puts(answer):
    store = answer.Store()
    store.put("a", "first", 1)

    def one():
        store.put("a", "x", 10)

    def other():
        store.put("a", "y", 20)

    together(one, other)
    expect(store, "a", 15, "x", "[V1] x was put at 10")
    expect(store, "a", 25, "y", "[V1] y was put at 20")
    expect(store, "a", 5, "first", "[V1] the first one stays")


def schedules_new_key(answer):
    store = answer.Store()

    def one():
        store.put("a", "x", 10)

    def other():
        store.put_all({"a": "y"}, 20)

    together(one, other)
    expect(store, "a", 15, "x", "[V1] x was put at 10")
    expect(store, "a", 25, "y", "[V1] y was put at 20")


def schedules_two_keys(answer):
    store = answer.Store()

    def one():
        store.put("a", "x", 10)

    def other():
        store.put("b", "y", 20)

    together(one, other)
    expect(store, "a", 10, "x", "[V1] x was put at 10")
    expect(store, "b", 20, "y", "[V1] y was put at 20")


def schedules_read_while_put(answer):
    """A late put comes in between; the newest version stays the same."""
    store = answer.Store()
    store.put("a", "new", 20)

    def writer():
        store.put("a", "late", 10)

    def reader():
        expect(store, "a", 30, "new", "[V2] a late put was under way")

    together(writer, reader)
    expect(store, "a", 10, "late", "[V1] it was put")


def schedules_read_while_it_is_new(answer):
    """The first version of a key, then the newest: each is there or not, and what was there stays."""
    store = answer.Store()

    def writer():
        store.put("a", 1, 10)
        store.put("a", 2, 20)

    def reader():
        got = [store.get("a", 30) or 0, store.get("a", 30) or 0]
        assert got in ([0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]), f"[V2] two get() in turn returned {got}"

    together(writer, reader)
    expect(store, "a", 15, 1, "[V1] it was put")


def schedules_read_all_or_nothing(answer):
    store = answer.Store()
    store.put_all({"a": 0, "b": 0}, 1)

    def writer():
        store.put_all({"a": 1, "b": 1}, 2)

    def reader():
        got = store.get_all(["b", "a"], 5)
        assert got["a"] == got["b"], f"[V2] get_all() returned {got}"

    together(writer, reader)
    assert store.get_all(["a", "b"], 5) == {"a": 1, "b": 1}, "[V1] it was put"


def schedules_read_new_keys(answer):
    store = answer.Store()

    def writer():
        store.put_all({"a": 1, "b": 1}, 1)
        store.put_all({"b": 2, "a": 2}, 2)

    def reader():
        got = store.get_all(["a", "b"], 5)
        assert got["a"] == got["b"], f"[V2] get_all() returned {got}"

    together(writer, reader)


def schedules_two_put_all(answer):
    store = answer.Store()
    store.put_all({"a": 0, "b": 0}, 1)

    def one():
        store.put_all({"a": 1, "b": 1}, 2)

    def other():
        store.put_all({"b": 2, "a": 2}, 2)

    together(one, other)
    got = store.get_all(["a", "b"], 2)
    assert got["a"] == got["b"], f"[V2] after two put_all() at the same stamp, get_all() returned {got}"
    assert got["a"] != 0, f"[V1] both are lost: {got}"
