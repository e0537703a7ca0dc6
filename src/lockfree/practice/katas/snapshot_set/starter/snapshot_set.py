import threading


class SnapshotSet:
    def __init__(self, items=()):
        self.lock = threading.Lock()
        self.items = set(items)

    def add(self, item):
        raise NotImplementedError

    def discard(self, item):
        raise NotImplementedError

    def replace(self, old, new):
        raise NotImplementedError

    def __contains__(self, item):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError

    def __iter__(self):
        raise NotImplementedError
