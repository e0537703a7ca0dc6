# fails: edges P3
# The time-out is not handed on to the condition.
import threading


class Semaphore:
    def __init__(self, permits, limit=None):
        self.free = permits
        self.limit = limit
        self.changed = threading.Condition()

    def acquire(self, timeout=None):
        with self.changed:
            while self.free == 0:
                self.changed.wait()
            self.free -= 1
            return True

    def release(self, count=1):
        with self.changed:
            if count < 1 or (self.limit is not None and self.free + count > self.limit):
                raise ValueError(count)
            self.free += count
            self.changed.notify_all()

    def value(self):
        with self.changed:
            return self.free
