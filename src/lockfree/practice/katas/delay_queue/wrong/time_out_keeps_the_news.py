# fails: schedules D2
import heapq
import threading
import time


class Closed(Exception):
    pass


class DelayQueue:
    """At least one of those who wait knows the first task; it passes that on before it leaves."""

    def __init__(self):
        self._changed = threading.Condition()
        self._tasks = []
        self._count = 0
        self._closed = False

    def put(self, task, delay):
        with self._changed:
            if self._closed:
                raise Closed
            entry = (time.monotonic() + delay, self._count, task)
            self._count += 1
            heapq.heappush(self._tasks, entry)
            if self._tasks[0] is entry:
                self._changed.notify()

    def get(self, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while True:
                now = time.monotonic()
                if self._tasks and self._tasks[0][0] <= now:
                    self._changed.notify()
                    return heapq.heappop(self._tasks)[2]
                if self._closed and not self._tasks:
                    self._changed.notify()
                    raise Closed
                if end is not None and end <= now:
                    raise TimeoutError
                ends = [t for t in (end, self._tasks[0][0] if self._tasks else None) if t is not None]
                self._changed.wait(min(ends) - now if ends else None)

    def close(self):
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self):
        with self._changed:
            return len(self._tasks)
