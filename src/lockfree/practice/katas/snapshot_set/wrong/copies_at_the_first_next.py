# fails: edges S2
import threading


class SnapshotSet:
    def __init__(self, items=()):
        self.lock = threading.Lock()
        self.items = set(items)

    def add(self, item):
        with self.lock:
            new = item not in self.items
            self.items.add(item)
            return new

    def discard(self, item):
        with self.lock:
            there = item in self.items
            self.items.discard(item)
            return there

    def replace(self, old, new):
        with self.lock:
            if old not in self.items:
                return False
            self.items.discard(old)
            self.items.add(new)
            return True

    def __contains__(self, item):
        with self.lock:
            return item in self.items

    def __len__(self):
        with self.lock:
            return len(self.items)

    def __iter__(self):
        with self.lock:
            items = list(self.items)
        yield from items
