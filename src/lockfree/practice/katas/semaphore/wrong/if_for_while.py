# fails: schedules P1
import threading


class Semaphore:
    def __init__(self, permits, limit=None):
        self.free = permits
        self.limit = limit
        self.lock = threading.Lock()
        self.not_zero = threading.Condition(self.lock)

    def acquire(self, timeout=None):
        with self.lock:
            if self.free == 0 and not self.not_zero.wait(timeout):
                return False
            self.free -= 1
            return True

    def release(self, count=1):
        if count < 1:
            raise ValueError(f"count is {count}; it must be 1 or more")
        with self.lock:
            if self.limit is not None and self.free + count > self.limit:
                raise ValueError(f"{self.free} of {self.limit} permits are free; {count} more are refused")
            self.free += count
            for _ in range(count):
                self.not_zero.notify()

    def value(self):
        with self.lock:
            return self.free
