# fails: schedules Q2
import threading
from collections import deque


class Full(Exception):
    pass


class Empty(Exception):
    pass


class Shutdown(Exception):
    pass


class _Place:
    def __init__(self, lock, item=None):
        self.woken = threading.Condition(lock)
        self.state = "waits"
        self.item = item

    def settle(self, state):
        self.state = state
        self.woken.notify()


class BoundedQueue:
    """Each waiter has a place of its own, and an item goes from hand to hand: nobody wakes up for nothing."""

    def __init__(self, maxsize):
        self._maxsize = maxsize
        self._lock = threading.Lock()
        self._items = deque()
        self._getters = deque()
        self._putters = deque()
        self._shut = False

    def _wait(self, line, place, timeout, late):
        line.append(place)
        place.woken.wait_for(lambda: place.state != "waits", timeout)
        if place.state == "waits":
            line.remove(place)
            raise late
        if place.state == "shut":
            raise Shutdown

    def put(self, item, timeout=None):
        with self._lock:
            if self._shut:
                raise Shutdown
            if self._getters:
                getter = self._getters.popleft()
                getter.item = item
                getter.settle("done")
            elif len(self._items) < self._maxsize:
                self._items.append(item)
            else:
                self._wait(self._putters, _Place(self._lock, item), timeout, Full)

    def get(self, timeout=None):
        with self._lock:
            if self._items:
                item = self._items.popleft()
                if self._putters and not self._items:
                    putter = self._putters.popleft()
                    self._items.append(putter.item)
                    putter.settle("done")
                return item
            if self._shut:
                raise Shutdown
            place = _Place(self._lock)
            self._wait(self._getters, place, timeout, Empty)
            return place.item

    def shutdown(self):
        with self._lock:
            self._shut = True
            for line in (self._getters, self._putters):
                while line:
                    line.popleft().settle("shut")

    def __len__(self):
        with self._lock:
            return len(self._items)
