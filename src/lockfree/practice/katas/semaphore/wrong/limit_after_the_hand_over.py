# fails: schedules P5
# The limit is looked at only when the waiters have their permits: a refused release has changed something.
import collections
import threading


class Semaphore:
    """Fair: a permit goes to the thread that has waited for the longest time, and nobody can come in between."""

    def __init__(self, permits, limit=None):
        self.free = permits
        self.limit = limit
        self.lock = threading.Lock()
        self.queue = collections.deque()

    def acquire(self, timeout=None):
        with self.lock:
            if self.free:
                self.free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self.queue.append(turn)
        if turn.acquire(timeout=-1 if timeout is None else timeout):
            return True
        with self.lock:
            if turn in self.queue:
                self.queue.remove(turn)
                return False
            return True

    def release(self, count=1):
        with self.lock:
            if count < 1:
                raise ValueError(f"{count} permits are refused")
            while count and self.queue:
                self.queue.popleft().release()
                count -= 1
            if self.limit is not None and self.free + count > self.limit:
                raise ValueError(f"{self.free} permits are free; {count} more are refused")
            self.free += count

    def value(self):
        with self.lock:
            return self.free
