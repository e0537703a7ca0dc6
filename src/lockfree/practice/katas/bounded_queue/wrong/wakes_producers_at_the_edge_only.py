# fails: schedules Q2
# A get wakes a producer only when the queue was full: two rooms that come together wake one of two.
import collections
import threading
import time


class Full(Exception):
    pass


class Empty(Exception):
    pass


class Shutdown(Exception):
    pass


class BoundedQueue:
    def __init__(self, maxsize):
        self.maxsize = maxsize
        self.items = collections.deque()
        self.closed = False
        self.lock = threading.Lock()
        self.not_empty = threading.Condition(self.lock)
        self.not_full = threading.Condition(self.lock)

    def put(self, item, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.lock:
            while not self.closed and len(self.items) >= self.maxsize:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise Full
                self.not_full.wait(left)
            if self.closed:
                raise Shutdown
            self.items.append(item)
            self.not_empty.notify()

    def get(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.lock:
            while not self.items:
                if self.closed:
                    raise Shutdown
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise Empty
                self.not_empty.wait(left)
            item = self.items.popleft()
            if len(self.items) == self.maxsize - 1:
                self.not_full.notify()
            return item

    def shutdown(self):
        with self.lock:
            self.closed = True
            self.not_empty.notify_all()
            self.not_full.notify_all()

    def __len__(self):
        with self.lock:
            return len(self.items)
