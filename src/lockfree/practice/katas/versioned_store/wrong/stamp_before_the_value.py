# fails: schedules V2
# Readers take no lock, and the stamp is there before its value.
import bisect
import threading


class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.stamps = {}
        self.values = {}

    def put(self, key, value, at):
        with self.lock:
            self.change(key, value, at)

    def put_all(self, changes, at):
        with self.lock:
            for key, value in changes.items():
                self.change(key, value, at)

    def get(self, key, at):
        return self.look(key, at)

    def get_all(self, keys, at):
        with self.lock:
            return {key: self.look(key, at) for key in keys}

    def change(self, key, value, at):
        stamps, values = self.stamps.setdefault(key, []), self.values.setdefault(key, [])
        place = bisect.bisect_right(stamps, at)
        stamps.insert(place, at)
        values.insert(place, value)

    def look(self, key, at):
        place = bisect.bisect_right(self.stamps.get(key, []), at)
        return self.values[key][place - 1] if place else None
