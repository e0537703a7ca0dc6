# fails: edges D7
import bisect
import threading
import time


class Closed(Exception):
    pass


class DelayQueue:
    def __init__(self):
        self.news = threading.Condition()
        self.times = []
        self.tasks = []
        self.open = True

    def put(self, task, delay):
        with self.news:
            if not self.open:
                raise Closed
            due = time.monotonic() + delay
            at = bisect.bisect_right(self.times, due)
            self.times.insert(at, due)
            self.tasks.insert(at, task)
            if at == 0:
                self.news.notify_all()

    def get(self, timeout=None):
        end = float("inf") if timeout is None else time.monotonic() + timeout
        with self.news:
            while True:
                now = time.monotonic()
                if self.times and self.times[0] <= now:
                    self.times.pop(0)
                    return self.tasks.pop(0)
                if timeout is None and not self.times and not self.open:
                    raise Closed
                if now >= end:
                    raise TimeoutError
                until = min(end, self.times[0] if self.times else float("inf"))
                self.news.wait(None if until == float("inf") else until - now)

    def close(self):
        with self.news:
            self.open = False
            self.news.notify_all()

    def __len__(self):
        with self.news:
            return len(self.times)
