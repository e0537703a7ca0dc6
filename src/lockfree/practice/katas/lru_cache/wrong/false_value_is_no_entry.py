# fails: edges L8
# A value that counts as false is taken for no entry, and loaded again and again.
import collections
import threading
import time


class Flight:
    """A load that is under way."""

    def __init__(self):
        self.ended = threading.Event()
        self.value = self.error = None


class Cache:
    def __init__(self, capacity, ttl, load):
        self.capacity = capacity
        self.ttl = ttl
        self.load = load
        self.lock = threading.Lock()
        self.entries = collections.OrderedDict()
        self.loading = {}

    def get(self, key):
        with self.lock:
            value, loaded = self.entries.get(key, (None, 0))
            if value:
                if time.monotonic() - loaded < self.ttl:
                    self.entries.move_to_end(key)
                    return value
            flight = self.loading.get(key)
            leads = flight is None
            if leads:
                flight = self.loading[key] = Flight()
        if leads:
            self.lead(key, flight)
        else:
            flight.ended.wait()
        if flight.error is not None:
            raise flight.error
        return flight.value

    def lead(self, key, flight):
        try:
            flight.value = self.load(key)
        except Exception as error:
            flight.error = error
        with self.lock:
            if self.loading.get(key) is flight:
                del self.loading[key]
                if flight.error is None:
                    self.entries[key] = flight.value, time.monotonic()
                    self.entries.move_to_end(key)
                    if len(self.entries) > self.capacity:
                        self.entries.popitem(last=False)
        flight.ended.set()

    def drop(self, key):
        with self.lock:
            self.entries.pop(key, None)
            self.loading.pop(key, None)

    def __len__(self):
        with self.lock:
            return len(self.entries)
