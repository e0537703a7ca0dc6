# fails: edges H5
import collections
import threading


class HitCounter:
    def __init__(self, window=300):
        self.window = window
        self.lock = threading.Lock()
        self.hits = collections.deque()

    def hit(self, at):
        with self.lock:
            self.hits.append(at)

    def count(self, at):
        with self.lock:
            newest = max(self.hits, default=0)
            self.hits = collections.deque(stamp for stamp in self.hits if stamp > newest - self.window)
            return sum(at - self.window < stamp <= at for stamp in self.hits)
