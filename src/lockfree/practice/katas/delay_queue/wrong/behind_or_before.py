# fails: edges D3
import bisect
import threading
import time


class Closed(Exception):
    pass


class DelayQueue:
    """A sorted list, the first due at the front. A new task goes behind those that are due at the same time."""

    def __init__(self):
        self.changed = threading.Condition()
        self.due = []
        self.tasks = []
        self.closed = False

    def put(self, task, delay):
        with self.changed:
            if self.closed:
                raise Closed
            due = time.monotonic() + delay
            place = bisect.bisect_left(self.due, due)
            self.due.insert(place, due)
            self.tasks.insert(place, task)
            self.changed.notify_all()

    def get(self, timeout=None):
        with self.changed:
            end = float("inf") if timeout is None else time.monotonic() + timeout
            while not self.due or self.due[0] > time.monotonic():
                if self.closed and not self.due:
                    raise Closed
                if time.monotonic() >= end:
                    raise TimeoutError
                wake = min(end, self.due[0]) if self.due else end
                self.changed.wait(None if wake == float("inf") else wake - time.monotonic())
            self.due.pop(0)
            return self.tasks.pop(0)

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def __len__(self):
        with self.changed:
            return len(self.tasks)
