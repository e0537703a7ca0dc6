# fails: schedules V2
import threading


class Store:
    """A sequence lock: the count is odd while a writer works. A reader that sees it change begins again."""

    def __init__(self):
        self.writing = threading.Lock()
        self.count = 0
        self.table = {}

    def put(self, key, value, at):
        self.put_all({key: value}, at)

    def put_all(self, changes, at):
        with self.writing:
            self.count += 1
            for key, value in changes.items():
                versions = self.table.get(key, ())
                before = tuple(version for version in versions if version[0] < at)
                after = tuple(version for version in versions if version[0] > at)
                self.table[key] = (*before, (at, value), *after)
            self.count += 1

    def get(self, key, at):
        return self.get_all([key], at)[key]

    def get_all(self, keys, at):
        while True:
            before = self.count
            if before % 2:
                with self.writing:
                    continue
            got = {key: self.look(key, at) for key in keys}
            return got

    def look(self, key, at):
        for stamp, value in reversed(self.table.get(key, ())):
            if stamp <= at:
                return value
        return None
