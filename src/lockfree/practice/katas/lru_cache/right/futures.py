import threading
import time
from concurrent.futures import Future


class Cache:
    """A plain dictionary keeps the order; what is used is taken out and put in again at the end."""

    def __init__(self, capacity, ttl, load):
        self.capacity = capacity
        self.ttl = ttl
        self.load = load
        self.lock = threading.Lock()
        self.entries = {}
        self.loading = {}

    def get(self, key):
        with self.lock:
            entry = self.entries.pop(key, None)
            if entry is not None and time.monotonic() < entry[1]:
                self.entries[key] = entry
                return entry[0]
            flight = self.loading.get(key)
            if flight is not None:
                mine = False
            else:
                mine = True
                flight = self.loading[key] = Future()
        if not mine:
            return flight.result()
        try:
            value = self.load(key)
        except Exception as error:
            with self.lock:
                if self.loading.get(key) is flight:
                    del self.loading[key]
            flight.set_exception(error)
            raise
        with self.lock:
            if self.loading.get(key) is flight:
                del self.loading[key]
                self.entries[key] = value, time.monotonic() + self.ttl
                if len(self.entries) > self.capacity:
                    del self.entries[next(iter(self.entries))]
        flight.set_result(value)
        return value

    def drop(self, key):
        with self.lock:
            self.entries.pop(key, None)
            self.loading.pop(key, None)

    def __len__(self):
        with self.lock:
            return len(self.entries)
