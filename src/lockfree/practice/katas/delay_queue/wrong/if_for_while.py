# fails: schedules D4
import heapq
import itertools
import threading
import time


class Closed(Exception):
    pass


class DelayQueue:
    def __init__(self):
        self.changed = threading.Condition()
        self.heap = []
        self.numbers = itertools.count()
        self.closed = False

    def put(self, task, delay):
        with self.changed:
            if self.closed:
                raise Closed
            heapq.heappush(self.heap, (time.monotonic() + delay, next(self.numbers), task))
            self.changed.notify_all()

    def get(self, timeout=None):
        with self.changed:
            deadline = None if timeout is None else time.monotonic() + timeout
            now = time.monotonic()
            if not self.heap and not self.closed:
                if not self.changed.wait(timeout):
                    raise TimeoutError
            if not self.heap:
                raise Closed
            now = time.monotonic()
            if self.heap[0][0] > now:
                left = self.heap[0][0] - now
                if deadline is not None and deadline < self.heap[0][0]:
                    self.changed.wait(deadline - now)
                    raise TimeoutError
                self.changed.wait(left)
            return heapq.heappop(self.heap)[2]

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def __len__(self):
        with self.changed:
            return len(self.heap)
