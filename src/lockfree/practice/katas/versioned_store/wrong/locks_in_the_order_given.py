# fails: schedules V4
import bisect
import contextlib
import threading


class Entry:
    """One key. Its lock protects the two lists."""

    def __init__(self):
        self.lock = threading.Lock()
        self.stamps = []
        self.values = []

    def change(self, value, at):
        place = bisect.bisect_right(self.stamps, at)
        self.stamps.insert(place, at)
        self.values.insert(place, value)

    def look(self, at):
        place = bisect.bisect_right(self.stamps, at)
        return self.values[place - 1] if place else None


class Store:
    def __init__(self):
        self.table_lock = threading.Lock()
        self.entries = {}

    def entry(self, key):
        with self.table_lock:
            if key not in self.entries:
                self.entries[key] = Entry()
            return self.entries[key]

    def put(self, key, value, at):
        entry = self.entry(key)
        with entry.lock:
            entry.change(value, at)

    def get(self, key, at):
        entry = self.entry(key)
        with entry.lock:
            return entry.look(at)

    def put_all(self, changes, at):
        with contextlib.ExitStack() as locks:
            for key in changes:
                locks.enter_context(self.entry(key).lock)
            for key, value in changes.items():
                self.entry(key).change(value, at)

    def get_all(self, keys, at):
        with contextlib.ExitStack() as locks:
            for key in sorted(set(keys)):
                locks.enter_context(self.entry(key).lock)
            return {key: self.entry(key).look(at) for key in keys}
