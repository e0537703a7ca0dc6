import threading


class SnapshotSet:
    """Each change has a number. An entry [item, birth, death] belongs to the versions from its birth to before its death."""

    def __init__(self, items=()):
        self.lock = threading.Lock()
        self.version = 0
        self.alive = {item: [item, 0, None] for item in items}
        self.entries = list(self.alive.values())

    def put(self, item):
        if item in self.alive:
            return False
        entry = self.alive[item] = [item, self.version, None]
        self.entries = [*(other for other in self.entries if other[2] is None), entry]
        return True

    def take(self, item):
        if item not in self.alive:
            return False
        self.alive.pop(item)[2] = self.version
        return True

    def add(self, item):
        with self.lock:
            self.version += 1
            return self.put(item)

    def discard(self, item):
        with self.lock:
            self.version += 1
            return self.take(item)

    def replace(self, old, new):
        with self.lock:
            self.version += 1
            if not self.take(old):
                return False
            self.put(new)
            return True

    def __contains__(self, item):
        with self.lock:
            return item in self.alive

    def __len__(self):
        with self.lock:
            return len(self.alive)

    def __iter__(self):
        with self.lock:
            return self.at(self.version, self.entries)

    def at(self, version, entries):
        for item, birth, death in entries:
            if birth <= version and (death is None or death > version):
                yield item
