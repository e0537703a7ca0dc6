import threading


class Store:
    """Readers take no lock: what they can reach never changes. A version is a pair of stamp and value."""

    def __init__(self):
        self.writing = threading.Lock()
        self.table = {}

    def put(self, key, value, at):
        self.put_all({key: value}, at)

    def put_all(self, changes, at):
        with self.writing:
            table = dict(self.table)
            for key, value in changes.items():
                versions = table.get(key, ())
                before = tuple(version for version in versions if version[0] < at)
                after = tuple(version for version in versions if version[0] > at)
                table[key] = (*before, (at, value), *after)
            self.table = table

    def get(self, key, at):
        return self.look(self.table, key, at)

    def get_all(self, keys, at):
        table = self.table
        return {key: self.look(table, key, at) for key in keys}

    def look(self, table, key, at):
        for stamp, value in reversed(table.get(key, ())):
            if stamp <= at:
                return value
        return None
