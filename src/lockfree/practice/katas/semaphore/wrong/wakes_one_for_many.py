# fails: schedules P2
import threading


class Semaphore:
    def __init__(self, permits, limit=None):
        self.free = permits
        self.limit = limit
        self.changed = threading.Condition()

    def acquire(self, timeout=None):
        with self.changed:
            if not self.changed.wait_for(lambda: self.free > 0, timeout):
                return False
            self.free -= 1
            return True

    def release(self, count=1):
        with self.changed:
            if count < 1 or (self.limit is not None and self.free + count > self.limit):
                raise ValueError(f"{self.free} permits are free; {count} more are refused")
            self.free += count
            self.changed.notify()

    def value(self):
        with self.changed:
            return self.free
