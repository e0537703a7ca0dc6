# fails: schedules D2
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
            self.changed.notify()

    def get(self, timeout=None):
        with self.changed:
            deadline = None if timeout is None else time.monotonic() + timeout
            while True:
                now = time.monotonic()
                if self.heap and self.heap[0][0] <= now:
                    return heapq.heappop(self.heap)[2]
                if self.closed and not self.heap:
                    raise Closed
                if deadline is not None and deadline <= now:
                    raise TimeoutError
                ends = [end for end in (deadline, self.heap[0][0] if self.heap else None) if end is not None]
                if not self.changed.wait(min(ends) - now if ends else None) and deadline is not None:
                    if deadline <= time.monotonic():
                        raise TimeoutError

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def __len__(self):
        with self.changed:
            return len(self.heap)
