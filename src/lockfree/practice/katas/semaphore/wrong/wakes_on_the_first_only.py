# fails: schedules P2
import threading
import time


class Semaphore:
    def __init__(self, permits, limit=None):
        self.free = permits
        self.limit = limit
        self.lock = threading.Lock()
        self.not_zero = threading.Condition(self.lock)

    def acquire(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.lock:
            while self.free == 0:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self.not_zero.wait(left)
            self.free -= 1
            return True

    def release(self, count=1):
        if count < 1:
            raise ValueError(f"count is {count}; it must be 1 or more")
        with self.lock:
            if self.limit is not None and self.free + count > self.limit:
                raise ValueError(f"{self.free} of {self.limit} permits are free; {count} more are refused")
            was = self.free
            self.free += count
            if was == 0:
                self.not_zero.notify(count)

    def value(self):
        with self.lock:
            return self.free
