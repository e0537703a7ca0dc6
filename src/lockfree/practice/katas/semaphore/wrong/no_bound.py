# fails: edges P5
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
            self.free += count
            self.changed.notify(count)

    def value(self):
        with self.changed:
            return self.free
