# fails: edges D5
# The time-out is not handed on to the condition.
import heapq
import threading
import time


class Closed(Exception):
    pass


class DelayQueue:
    def __init__(self):
        self.changed = threading.Condition()
        self.heap = []
        self.number = 0
        self.closed = False

    def put(self, task, delay):
        with self.changed:
            if self.closed:
                raise Closed
            self.number += 1
            heapq.heappush(self.heap, (time.monotonic() + delay, self.number, task))
            self.changed.notify_all()

    def get(self, timeout=None):
        with self.changed:
            while True:
                if self.heap and (left := self.heap[0][0] - time.monotonic()) <= 0:
                    return heapq.heappop(self.heap)[2]
                if not self.heap and self.closed:
                    raise Closed
                self.changed.wait(left if self.heap else None)

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def __len__(self):
        with self.changed:
            return len(self.heap)
