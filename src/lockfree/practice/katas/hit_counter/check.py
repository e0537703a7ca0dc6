"""What the judge runs. A text in brackets names the diagnosis."""

import threading


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def entries(value, seen):
    """How many entries the containers of an object have, with what is inside of them."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, dict):
        return len(value) + sum(entries(part, seen) for part in value.values())
    if hasattr(value, "__dict__"):
        return entries(vars(value), seen)
    try:
        parts = list(value)
    except TypeError:
        return 0
    return len(parts) + sum(entries(part, seen) for part in parts if not isinstance(part, int | str))


def counter_with(answer, *stamps, window=5):
    counter = answer.HitCounter(window)
    for at in stamps:
        counter.hit(at)
    return counter


def expect(counter, at, number, says):
    got = counter.count(at)
    assert got == number, f"{says}: count({at}) returned {got} instead of {number}"


def edges_window(answer):
    expect(answer.HitCounter(), 0, 0, "[H3] no hits")
    counter = counter_with(answer, 0, 1, 1, 2)
    for at, number in ((2, 4), (4, 4), (5, 3), (6, 1), (7, 0), (1000, 0)):
        expect(counter, at, number, "[H3] window 5, hits at 0, 1, 1, 2")


def edges_default_window(answer):
    counter = answer.HitCounter()
    counter.hit(1)
    expect(counter, 300, 1, "[H3] window 300, a hit at 1")
    expect(counter, 301, 0, "[H3] window 300, a hit at 1")


def edges_next_round(answer):
    counter = counter_with(answer, 1, 1, 6)
    expect(counter, 6, 1, "[H2] window 5, hits at 1, 1, 6")
    counter.hit(6)
    expect(counter, 10, 2, "[H2] window 5, hits at 1, 1, 6, 6")
    counter.hit(21)
    expect(counter, 21, 1, "[H2] window 5, a hit at 21 after a long time")
    expect(counter, 25, 1, "[H2] window 5, a hit at 21 after a long time")


def edges_late_hits(answer):
    counter = counter_with(answer, 10, 7, 8, 7, 6)
    expect(counter, 10, 5, "[H4] window 5, hits at 10, 7, 8, 7, 6: all are in the window")
    expect(counter, 12, 2, "[H4] window 5, hits at 10, 7, 8, 7, 6")
    counter = counter_with(answer, 10, 5)
    expect(counter, 10, 1, "[H4] window 5, a hit at 10, then a late one at 5, which is too old")
    expect(counter, 14, 1, "[H4] window 5, a hit at 10, then a late one at 5")


def edges_memory(answer):
    counter = answer.HitCounter(5)
    for at in range(200):
        counter.hit(at)
    for at in range(200, 205):
        for _ in range(50):
            counter.hit(at)
    expect(counter, 204, 250, "[H3] window 5, 50 hits a second")
    kept = entries(counter, set())
    assert kept <= 150, f"[H5] after 450 hits in 205 s with a window of 5 the object holds {kept} entries"


def edges_memory_of_late_hits(answer):
    counter = counter_with(answer, 204)
    for _ in range(100):
        for at in (202, 203, 204):
            counter.hit(at)
    expect(counter, 204, 301, "[H4] window 5, hits at 204, then by turns at 202, 203, 204")
    kept = entries(counter, set())
    assert kept <= 150, f"[H5] after 301 hits in 3 s, many of them late, the object holds {kept} entries"


def schedules_same_second(answer):
    counter = counter_with(answer, 1)
    together(lambda: counter.hit(1), lambda: counter.hit(1))
    expect(counter, 1, 3, "[H1] three hits at 1")


def schedules_first_hits(answer):
    counter = answer.HitCounter(5)
    together(lambda: counter.hit(1), lambda: counter.hit(2))
    expect(counter, 2, 2, "[H1] hits at 1 and 2")


def schedules_new_second(answer):
    counter = counter_with(answer, 1)
    together(lambda: counter.hit(6), lambda: counter.hit(6))
    expect(counter, 6, 2, "[H1] window 5, a hit at 1, then two at 6 at the same time")


def schedules_late_hit(answer):
    counter = answer.HitCounter(5)
    together(lambda: counter.hit(1), lambda: counter.hit(6))
    expect(counter, 6, 1, "[H4] window 5, hits at 1 and 6 at the same time")


def schedules_count_meanwhile(answer):
    counter, seen = counter_with(answer, 1, 1, 1), []

    def hits():
        counter.hit(6)

    def counts():
        seen.append(counter.count(6))
        seen.append(counter.count(6))

    together(hits, counts)
    assert all(0 <= number <= 1 for number in seen), f"[H3] window 5, 3 hits at 1, one at 6: count(6) returned {seen}"
    assert seen[0] <= seen[1], f"[H3] count(6) went down: {seen}"


def schedules_late_hit_and_count(answer):
    counter, seen = counter_with(answer, 9, 10, 10), []

    def hits():
        counter.hit(8)

    def counts():
        seen.append(counter.count(10))
        seen.append(counter.count(10))

    together(hits, counts)
    expect(counter, 10, 4, "[H4] window 5, hits at 9, 10, 10, and a late one at 8")
    assert seen in ([3, 3], [3, 4], [4, 4]), (
        f"[H3] window 5, hits at 9, 10, 10, a late one at 8: count(10) returned {seen}"
    )
