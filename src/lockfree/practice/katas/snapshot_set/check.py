"""What the judge runs. A text in brackets names the diagnosis."""

import threading


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def expect(got, wanted, says):
    assert got == wanted, f"{says}: {got!r} instead of {wanted!r}"


def edges_set(answer):
    s = answer.SnapshotSet()
    expect((len(s), list(s)), (0, []), "[S4] an empty set: its length and its items")
    expect((s.add("a"), s.add("b"), s.add("a")), (True, True, False), "[S4] add() of a, b, a")
    expect((len(s), "a" in s, "c" in s), (2, True, False), "[S4] length, a, c")
    expect((s.discard("a"), s.discard("a")), (True, False), "[S4] discard() of a, a")
    expect((sorted(s), len(s)), (["b"], 1), "[S4] the items, and their number")
    expect(sorted(answer.SnapshotSet("xyx")), ["x", "y"], "[S4] SnapshotSet('xyx')")


def edges_replace(answer):
    s = answer.SnapshotSet("ab")
    expect(s.replace("a", "c"), True, "[S4] replace() of an item that is there")
    expect(sorted(s), ["b", "c"], "[S4] after replace(a, c)")
    expect((s.replace("a", "d"), sorted(s)), (False, ["b", "c"]), "[S4] replace() of an item that is not there")
    expect((s.replace("b", "c"), sorted(s), len(s)), (True, ["c"], 1), "[S4] replace(b, c), and c is there already")
    expect((s.replace("c", "c"), sorted(s)), (True, ["c"]), "[S4] replace(c, c)")


def edges_independent_iterators(answer):
    s = answer.SnapshotSet("abc")
    pairs = sorted(x + y for x in s for y in s)
    expect(pairs, ["aa", "ab", "ac", "ba", "bb", "bc", "ca", "cb", "cc"], "[S5] a loop in a loop")
    unfinished = iter(s)
    next(unfinished)
    expect(s.add("d"), True, "[S5] a change while an iterator is unfinished")
    expect(sorted(s), ["a", "b", "c", "d"], "[S5] a new iterator while another one is unfinished")
    expect(len([*unfinished]), 2, "[S5] what was left of the first one")


def edges_snapshot(answer):
    s = answer.SnapshotSet("abc")
    before = iter(s)
    s.add("d")
    s.discard("a")
    expect(sorted(before), ["a", "b", "c"], "[S2] an iterator from before add(d) and discard(a)")
    expect(sorted(s), ["b", "c", "d"], "[S2] a new iterator")
    begun = iter(s)
    first = next(begun)
    s.replace("c", "e")
    s.discard("b")
    expect(sorted([first, *begun]), ["b", "c", "d"], "[S2] an iterator that was in the middle")
    expect(sorted(s), ["d", "e"], "[S2] a new iterator")
    old = iter(s)
    s.discard("d")
    s.add("d")
    s.add("f")
    expect(sorted(old), ["d", "e"], "[S2] d went and came again meanwhile")
    expect(sorted(s), ["d", "e", "f"], "[S2] a new iterator")


def schedules_replace_and_iterate(answer):
    s, seen = answer.SnapshotSet("ab"), []

    def reads():
        seen.append(sorted(s))

    together(lambda: s.replace("a", "c"), reads)
    assert seen[0] in (["a", "b"], ["b", "c"]), f"[S1] replace(a, c) in {{a, b}}; an iterator saw {seen[0]}"
    expect(sorted(s), ["b", "c"], "[S3] in the end")


def schedules_replace_and_ask(answer):
    s, seen = answer.SnapshotSet("a"), []

    def reads():
        seen.append(len(s))

    together(lambda: s.replace("a", "c"), reads)
    expect(seen, [1], "[S1] replace() in a set of one item; len()")


def schedules_two_reads(answer):
    s, seen = answer.SnapshotSet("ab"), []

    def reads():
        snapshot = iter(s)
        seen.extend(["a" in s, sorted(snapshot)])

    together(lambda: s.replace("a", "c"), reads)
    there, items = seen
    assert items in (["a", "b"], ["b", "c"]), f"[S1] replace(a, c) in {{a, b}}; an iterator saw {items}"
    assert not (there and "c" in items), "[S1] c was seen, and then a"


def schedules_iterate_while_it_grows(answer):
    s, seen = answer.SnapshotSet("ab"), []

    def writes():
        s.add("c")
        s.discard("a")

    def reads():
        items = []
        for item in s:
            items.append(item)
        seen.append(sorted(items))

    together(writes, reads)
    wanted = (["a", "b"], ["a", "b", "c"], ["b", "c"])
    assert seen[0] in wanted, f"[S1] add(c), then discard(a) in {{a, b}}; an iterator saw {seen[0]}"


def schedules_two_adds(answer):
    s = answer.SnapshotSet()
    together(lambda: s.add("a"), lambda: s.add("b"))
    expect((sorted(s), len(s)), (["a", "b"], 2), "[S3] two threads add a and b")


def schedules_same_add(answer):
    s, got = answer.SnapshotSet(), {}

    def first():
        got["first"] = s.add("a")

    def second():
        got["second"] = s.add("a")

    together(first, second)
    expect((sum(got.values()), len(s), list(s)), (1, 1, ["a"]), "[S4] two threads add a; number of True, length, items")


def schedules_same_discard(answer):
    s, got = answer.SnapshotSet("ab"), {}

    def first():
        got["first"] = s.discard("a")

    def second():
        got["second"] = s.replace("a", "c")

    together(first, second)
    expect(sum(got.values()), 1, "[S4] one thread discards a, one replaces it; number of True")
    expect(sorted(s), ["b", "c"] if got["second"] else ["b"], f"[S4] {got}; items")


def schedules_no_change_beside_a_change(answer):
    """What a call returns is about its own item, whatever becomes of the others meanwhile."""
    s, got = answer.SnapshotSet("a"), {}

    def adds():
        got["add"] = s.add("a")
        got["discard"] = s.discard("c")

    together(adds, lambda: s.add("b"))
    expect(got, {"add": False, "discard": False}, "[S4] a is there and c is not, and another thread adds b")


def schedules_add_and_replace(answer):
    s = answer.SnapshotSet("a")
    together(lambda: s.add("b"), lambda: s.replace("a", "c"))
    expect((sorted(s), len(s)), (["b", "c"], 2), "[S3] add(b) and replace(a, c) in {a}")


def schedules_iterate_and_add(answer):
    """An iterator marks or copies something while others change it; a second iterator is there, too."""
    s, seen = answer.SnapshotSet("a"), {}

    def writes():
        s.add("b")

    def reads():
        old = iter(s)
        seen["new"] = s.add("c")
        seen["old"] = sorted(old)

    together(writes, reads)
    assert seen["old"] in (["a"], ["a", "b"]), f"[S2] an iterator from before add(c) saw {seen['old']}"
    expect((seen["new"], sorted(s)), (True, ["a", "b", "c"]), "[S3] add(b) and add(c) in {a}")
