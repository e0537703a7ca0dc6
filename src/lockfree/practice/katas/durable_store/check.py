"""What the judge runs. A text in brackets names the diagnosis."""

import threading

from lockfree.practice.power import Choices, Machine

ONE, TWO, THREE, FOUR = "one " * 8, "two " * 9, "three " * 7, "four " * 8
ODD = ["", "a\nb", "\0", "a b", "ä€😀", '"', "x" * 300]


def machine_of(answer):
    """A machine whose power does not fail."""
    return Machine(lambda: answer, Choices(), "", failures=0)


def size(disk):
    return sum(len(disk.read(name)) for name in disk.names())


def edges_a_map(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    assert store.get("a") is None, "[D6] a key that was never put has no value"
    store.put("a", "1")
    store.put("b", "2")
    store.put("a", "3")
    assert (store.get("a"), store.get("b")) == ("3", "2"), "[D6] the last value counts"
    store.delete("b")
    store.delete("nothing")
    assert store.get("b") is None, "[D6] a deleted key has no value"
    again = answer.Store(disk)
    assert (again.get("a"), again.get("b")) == ("3", None), "[D1] a new Store on the same disk shows the same"


def edges_any_text(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    for number, text in enumerate(ODD):
        store.put(text, ODD[-1 - number])
    for opened in (store, answer.Store(disk)):
        for number, text in enumerate(ODD):
            found = opened.get(text)
            assert found == ODD[-1 - number], f"[D6] put({text[:9]!r}, {ODD[-1 - number][:9]!r}), and get gives {found!r}"
    for text in reversed(ODD):  # the shortest change of all comes last
        store = answer.Store(disk)
        store.delete(text)
        found = store.get(text), answer.Store(disk).get(text)
        assert found == (None, None), f"[D6] delete({text[:9]!r}), and get gives {found}, the second time opened anew"


def edges_stays_small(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    for number in range(200):
        store.put("counter", str(number))
        store.put("other", "x" * 20)
    store.delete("other")
    store.compact()
    assert size(disk) < 400, f"[D7] after compact() one key of a few bytes takes {size(disk)} bytes on the disk"
    store = answer.Store(disk)
    assert store.get("counter") == "199", "[D4] compact() keeps the last value"
    store.put("after", "1")
    assert answer.Store(disk).get("after") == "1", "[D4] what is put after compact() is kept"


def edges_room_comes_back(answer):
    """A store that is opened, written and compacted again and again does not grow."""
    disk = machine_of(answer).disk
    sizes = []
    for number in range(12):
        store = answer.Store(disk)
        store.put("a", f"{number:04}")
        store.compact()
        sizes.append(size(disk))
    assert sizes[-1] <= sizes[3] + 8, f"[D7] the same key again and again takes more and more bytes: {sizes}"


def short(value):
    if value is None or len(value) < 12:
        return repr(value)
    zeros = ", zeros in it" if "\0" in value else ""
    return f"{value[:8]!r}… ({len(value)} characters{zeros})"


class Books:
    """What may be in the store: for each key the values that it may have."""

    def __init__(self, machine):
        self.machine = machine
        self.allowed = {}

    def change(self, store, key, value):
        """One put or delete. While it is under way, both values are possible."""
        before = self.allowed.get(key, {None})
        self.allowed[key] = before | {value}
        self.machine.says(f"delete({key!r})" if value is None else f"put({key!r}, {short(value)})")
        store.delete(key) if value is None else store.put(key, value)
        if not self.machine.off:
            self.allowed[key] = {value}

    def open(self, answer, diagnosis):
        """A store on the disk; an exception of it is the answer's fault."""
        try:
            self.machine.says("Store(disk)")
            return answer.Store(self.machine.disk)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            raise AssertionError(f"[{diagnosis}] the store cannot be opened: {text}; {self.machine.loss}") from error

    def look(self, answer, diagnosis):
        """All values; then only what is there is possible."""
        store = self.open(answer, diagnosis)
        for key, allowed in self.allowed.items():
            found = store.get(key)
            some = " or ".join(short(value) for value in sorted(allowed, key=str))
            said = f"get({key!r}) gives {short(found)}; it must be {some}; {self.machine.loss}"
            assert found in allowed, f"[{diagnosis}] {said}"
            self.allowed[key] = {found}
        return store


def of_loss(machine):
    """Changes that were there in part only, or not at all."""
    return "D2" if "part" in machine.loss or "zeros" in machine.loss else "D1"


def kill_puts(machine):
    books = Books(machine)

    def work(answer):
        store = books.open(answer, "D5")
        books.change(store, "a", ONE)
        books.change(store, "b", TWO)
        books.change(store, "a", THREE)
        books.change(store, "b", None)

    machine.run(work)
    machine.restart()
    seen = machine.run(lambda answer: books.look(answer, of_loss(machine)))
    machine.restart()
    machine.run(lambda answer: books.look(answer, "D5" if seen else of_loss(machine)))


def kill_goes_on(machine):
    """What is written after a failure must survive, too, whatever the failure left behind."""
    books = Books(machine)

    def work(answer):
        store = books.open(answer, "D5")
        books.change(store, "a", ONE)
        books.change(store, "a", TWO)

    def more(answer):
        store = books.look(answer, of_loss(machine))
        books.change(store, "a", THREE)
        books.change(store, "c", FOUR)

    machine.run(work)
    machine.restart()
    machine.run(more)
    machine.restart()
    machine.run(lambda answer: books.look(answer, "D3"))


def kill_compact(machine):
    books = Books(machine)

    def work(answer):
        store = books.open(answer, "D5")
        books.change(store, "a", ONE)
        books.change(store, "a", TWO)
        books.change(store, "b", THREE)
        books.change(store, "b", None)
        machine.says("compact()")
        store.compact()
        books.change(store, "c", FOUR)

    machine.run(work)
    machine.restart()
    machine.run(lambda answer: books.look(answer, "D4"))
    machine.restart()
    machine.run(lambda answer: books.look(answer, "D4"))


def kill_compacts_again(machine):
    """What a compaction left behind when it was cut off is in the way of the next one, and must not come back with it."""
    books = Books(machine)

    def work(answer):
        store = books.open(answer, "D5")
        books.change(store, "a", ONE)
        books.change(store, "b", TWO)
        machine.says("compact()")
        store.compact()

    def again(answer):
        store = books.look(answer, "D4")
        books.change(store, "a", None)
        books.change(store, "b", THREE)
        machine.says("compact()")
        store.compact()

    machine.run(work)
    machine.restart()
    machine.run(again)
    machine.restart()
    machine.run(lambda answer: books.look(answer, "D4"))


def together(*functions):
    threads = [threading.Thread(target=function, name=f"T{number}") for number, function in enumerate(functions, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def schedules_two_writers(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    together(lambda: store.put("a", "1"), lambda: store.put("b", "2"))
    for opened in (store, answer.Store(disk)):
        found = opened.get("a"), opened.get("b")
        assert found == ("1", "2"), f"[D8] two threads put a and b; the store has {found}"


def schedules_one_key(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    together(lambda: store.put("a", "1"), lambda: store.put("a", "2"))
    now, later = store.get("a"), answer.Store(disk).get("a")
    assert now == later, f"[D8] two threads put one key: get gives {now!r}, after a restart {later!r}"


def schedules_compact(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    store.put("a", "1")
    together(store.compact, lambda: store.put("b", "2"))
    found = answer.Store(disk).get("a"), answer.Store(disk).get("b")
    assert found == ("1", "2"), f"[D8] a put beside compact(): after a restart the store has {found}"


def schedules_delete_beside_put(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    store.put("a", "1")
    together(lambda: store.delete("a"), lambda: store.put("a", "2"))
    now, later = store.get("a"), answer.Store(disk).get("a")
    assert now == later, f"[D8] a delete beside a put: get gives {now!r}, after a restart {later!r}"


def schedules_compact_beside_delete(answer):
    disk = machine_of(answer).disk
    store = answer.Store(disk)
    store.put("a", "1")
    store.put("b", "2")
    together(store.compact, lambda: store.delete("a"))
    found = answer.Store(disk).get("a"), answer.Store(disk).get("b")
    assert found == (None, "2"), f"[D8] a delete beside compact(): after a restart the store has {found}"
