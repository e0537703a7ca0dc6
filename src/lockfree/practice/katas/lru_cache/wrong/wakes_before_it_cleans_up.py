# fails: schedules L6
"""Who is woken asks again, and still finds the flight that has failed."""
import collections
import threading
import time


class Cache:
    def __init__(self, capacity, ttl, load):
        self.capacity, self.ttl, self.load = capacity, ttl, load
        self.mutex = threading.Lock()
        self.table = collections.OrderedDict()
        self.flights = {}

    def get(self, key):
        with self.mutex:
            found = self.table.get(key)
            if found is not None and time.monotonic() - found[1] < self.ttl:
                self.table.move_to_end(key)
                return found[0]
            flight = self.flights.get(key)
            mine = flight is None
            if mine:
                flight = self.flights[key] = {"done": threading.Event(), "kept": True}
        if not mine:
            flight["done"].wait()
            if "error" in flight:
                raise flight["error"]
            return flight["value"]
        try:
            flight["value"] = self.load(key)
        except BaseException as error:
            flight["error"] = error
            raise
        finally:
            flight["done"].set()
            with self.mutex:
                if self.flights.get(key) is flight:
                    del self.flights[key]
                    if "error" not in flight:
                        self.table[key] = (flight["value"], time.monotonic())
                        self.table.move_to_end(key)
                        while len(self.table) > self.capacity:
                            self.table.popitem(last=False)
            flight["done"].set()
        return flight["value"]

    def drop(self, key):
        with self.mutex:
            self.table.pop(key, None)
            self.flights.pop(key, None)

    def __len__(self):
        with self.mutex:
            return len(self.table)
