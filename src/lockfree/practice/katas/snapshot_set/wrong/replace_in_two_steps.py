# fails: schedules S1
import threading


class SnapshotSet:
    """Readers take no lock: what is published never changes."""

    def __init__(self, items=()):
        self.writing = threading.Lock()
        self.items = frozenset(items)

    def add(self, item):
        with self.writing:
            if item in self.items:
                return False
            self.items = self.items | {item}
            return True

    def discard(self, item):
        with self.writing:
            if item not in self.items:
                return False
            self.items = self.items - {item}
            return True

    def replace(self, old, new):
        with self.writing:
            if old not in self.items:
                return False
            self.items = self.items - {old}
            self.items = self.items | {new}
            return True

    def __contains__(self, item):
        return item in self.items

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)
