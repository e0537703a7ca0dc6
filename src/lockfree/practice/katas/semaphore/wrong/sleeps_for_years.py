# fails: schedules P2
# One notification for several permits. That each sleep ends after 30 years does not make up for it.
import threading

YEARS = 1e9


class Semaphore:
    def __init__(self, permits, limit=None):
        self.free = permits
        self.limit = limit
        self.more = threading.Condition()

    def acquire(self, timeout=None):
        with self.more:
            if not self.more.wait_for(lambda: self.free > 0, YEARS if timeout is None else timeout):
                return False
            self.free -= 1
            return True

    def release(self, count=1):
        if count < 1:
            raise ValueError("count is below 1")
        with self.more:
            if self.limit is not None and self.free + count > self.limit:
                raise ValueError("more than the limit")
            self.free += count
            self.more.notify()

    def value(self):
        with self.more:
            return self.free
