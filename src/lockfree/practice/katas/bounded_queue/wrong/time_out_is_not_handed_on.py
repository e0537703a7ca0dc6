# fails: edges Q4
# The time-out is not handed on to the condition.
import threading
from collections import deque


class Full(Exception):
    pass


class Empty(Exception):
    pass


class Shutdown(Exception):
    pass


class BoundedQueue:
    def __init__(self, maxsize):
        self.maxsize = maxsize
        self.items = deque()
        self.closed = False
        self.changed = threading.Condition()

    def put(self, item, timeout=None):
        with self.changed:
            self.changed.wait_for(lambda: self.closed or len(self.items) < self.maxsize)
            if self.closed:
                raise Shutdown
            self.items.append(item)
            self.changed.notify_all()

    def get(self, timeout=None):
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.items)
            if not self.items:
                raise Shutdown
            item = self.items.popleft()
            self.changed.notify_all()
            return item

    def shutdown(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def __len__(self):
        with self.changed:
            return len(self.items)
