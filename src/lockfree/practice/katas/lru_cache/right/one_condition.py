import threading
import time


class Slot:
    """One key: loaded, being loaded, or failed. used: a count that grows with each use."""

    def __init__(self):
        self.state = "loading"
        self.value = None
        self.until = 0.0
        self.used = 0


class Cache:
    """The slots of loads and of entries in one table; one condition for all who wait."""

    def __init__(self, capacity, ttl, load):
        self.capacity = capacity
        self.ttl = ttl
        self.load = load
        self.changed = threading.Condition()
        self.slots = {}
        self.uses = 0

    def get(self, key):
        with self.changed:
            slot = self.slots.get(key)
            if slot is not None and slot.state == "loaded" and time.monotonic() >= slot.until:
                slot = None
            if slot is not None:
                while slot.state == "loading":
                    self.changed.wait()
                if slot.state == "failed":
                    raise slot.value
                self.touch(slot)
                return slot.value
            slot = self.slots[key] = Slot()
        try:
            value, state = self.load(key), "loaded"
        except Exception as error:
            value, state = error, "failed"
        with self.changed:
            slot.value, slot.state = value, state
            slot.until = time.monotonic() + self.ttl
            self.touch(slot)
            if state == "failed" and self.slots.get(key) is slot:
                del self.slots[key]
            loaded = [name for name, other in self.slots.items() if other.state == "loaded"]
            if len(loaded) > self.capacity:
                del self.slots[min(loaded, key=lambda name: self.slots[name].used)]
            self.changed.notify_all()
        if state == "failed":
            raise value
        return value

    def touch(self, slot):
        self.uses += 1
        slot.used = self.uses

    def drop(self, key):
        with self.changed:
            self.slots.pop(key, None)

    def __len__(self):
        with self.changed:
            return sum(slot.state == "loaded" for slot in self.slots.values())
