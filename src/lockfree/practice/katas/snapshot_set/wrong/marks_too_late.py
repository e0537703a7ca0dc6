# fails: schedules S2
import threading


class SnapshotSet:
    """An iterator marks the set as shared; the next change copies it first. Without iterators nothing is copied."""

    def __init__(self, items=()):
        self.lock = threading.Lock()
        self.items = set(items)
        self.shared = False

    def own(self):
        """With the lock: a set that no iterator goes over."""
        if self.shared:
            self.items, self.shared = set(self.items), False
        return self.items

    def add(self, item):
        with self.lock:
            new, items = item not in self.items, self.own()
            items.add(item)
            return new

    def discard(self, item):
        with self.lock:
            there, items = item in self.items, self.own()
            items.discard(item)
            return there

    def replace(self, old, new):
        with self.lock:
            if old not in self.items:
                return False
            items = self.own()
            items.discard(old)
            items.add(new)
            return True

    def __contains__(self, item):
        with self.lock:
            return item in self.items

    def __len__(self):
        with self.lock:
            return len(self.items)

    def __iter__(self):
        with self.lock:
            items = self.items
        self.shared = True
        return iter(items)
