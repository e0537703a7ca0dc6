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
        self.items = []
        self.closed = False
        self.changed = threading.Condition()

    def put(self, item, timeout=None):
        with self.changed:
            if not self.changed.wait_for(lambda: self.closed or len(self.items) < self.maxsize, timeout):
                raise Full
            if self.closed:
                raise Shutdown
            self.items.append(item)
            self.changed.notify_all()

    def get(self, timeout=None):
        with self.changed:
            if not self.changed.wait_for(lambda: self.closed or self.items, timeout):
                raise Empty
            if not self.items:
                raise Shutdown
            item = self.items.pop(0)
            self.changed.notify_all()
            return item

    def shutdown(self):
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def __len__(self):
        with self.changed:
            return len(self.items)
