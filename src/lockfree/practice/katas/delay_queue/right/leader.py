import heapq
import threading
import time


class Closed(Exception):
    pass


class DelayQueue:
    """One consumer, the leader, sleeps until the first task is due. The others sleep until it hands over."""

    def __init__(self):
        self.lock = threading.Lock()
        self.woken = threading.Condition(self.lock)
        self.heap = []
        self.number = 0
        self.leader = None
        self.closed = False

    def put(self, task, delay):
        with self.lock:
            if self.closed:
                raise Closed
            due = time.monotonic() + delay
            heapq.heappush(self.heap, (due, self.number, task))
            self.number += 1
            if self.heap[0][2] is task:
                self.leader = None
                self.woken.notify_all()

    def get(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        me = object()
        with self.lock:
            try:
                while True:
                    now = time.monotonic()
                    if self.heap and self.heap[0][0] <= now:
                        return heapq.heappop(self.heap)[2]
                    if self.closed and not self.heap:
                        raise Closed
                    if deadline is not None and deadline <= now:
                        raise TimeoutError
                    left = None if deadline is None else deadline - now
                    if self.heap and self.leader in {None, me}:
                        self.leader = me
                        due = self.heap[0][0] - now
                        left = due if left is None else min(left, due)
                    self.woken.wait(left)
            finally:
                if self.leader is me:
                    self.leader = None
                self.woken.notify_all()

    def close(self):
        with self.lock:
            self.closed = True
            self.woken.notify_all()

    def __len__(self):
        with self.lock:
            return len(self.heap)
