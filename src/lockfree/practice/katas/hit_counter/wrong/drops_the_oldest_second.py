# fails: edges H4
import threading
from collections import deque


class HitCounter:
    def __init__(self, window=300):
        self._window = window
        self._pairs = deque()  # [second, hits], oldest on the left
        self._lock = threading.Lock()

    def hit(self, at):
        with self._lock:
            pairs = self._pairs
            if pairs and at <= pairs[-1][0] - self._window + 1:
                return
            later = []
            while pairs and pairs[-1][0] > at:
                later.append(pairs.pop())
            if pairs and pairs[-1][0] == at:
                pairs[-1][1] += 1
            else:
                pairs.append([at, 1])
            while later:
                pairs.append(later.pop())
            while pairs[0][0] <= pairs[-1][0] - self._window:
                pairs.popleft()

    def count(self, at):
        with self._lock:
            return sum(hits for second, hits in self._pairs if at - self._window < second <= at)
