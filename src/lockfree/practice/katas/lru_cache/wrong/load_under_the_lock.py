# fails: schedules L5
import collections
import threading
import time


class Cache:
    def __init__(self, capacity, ttl, load):
        self.capacity = capacity
        self.ttl = ttl
        self.load = load
        self.lock = threading.Lock()
        self.entries = collections.OrderedDict()

    def get(self, key):
        with self.lock:
            if key in self.entries:
                value, loaded = self.entries[key]
                if time.monotonic() - loaded < self.ttl:
                    self.entries.move_to_end(key)
                    return value
            value = self.load(key)
            self.entries[key] = value, time.monotonic()
            self.entries.move_to_end(key)
            if len(self.entries) > self.capacity:
                self.entries.popitem(last=False)
            return value

    def drop(self, key):
        with self.lock:
            self.entries.pop(key, None)

    def __len__(self):
        with self.lock:
            return len(self.entries)
