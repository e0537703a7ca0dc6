# fails: schedules S4
import threading


class SnapshotSet:
    def __init__(self, items=()):
        self._lock = threading.Lock()
        self._now = frozenset(items)

    def _swap(self, change):
        with self._lock:
            before = self._now
            self._now = change(before)
        return self._now != before

    def add(self, item):
        return self._swap(lambda now: now | {item})

    def discard(self, item):
        return self._swap(lambda now: now - {item})

    def replace(self, old, new):
        with self._lock:
            there = old in self._now
            if there:
                self._now = (self._now - {old}) | {new}
            return there

    def __contains__(self, item):
        return item in self._now

    def __len__(self):
        return len(self._now)

    def __iter__(self):
        return iter(self._now)
