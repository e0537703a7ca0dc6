# fails: schedules H3
import threading


class HitCounter:
    def __init__(self, window=300):
        self.window = window
        self.lock = threading.Lock()
        self.stamps = [-1] * window
        self.numbers = [0] * window

    def hit(self, at):
        bucket = at % self.window
        with self.lock:
            if self.stamps[bucket] < at:
                self.stamps[bucket] = at
                self.numbers[bucket] = 0
            if self.stamps[bucket] == at:
                self.numbers[bucket] += 1

    def count(self, at):
        total = 0
        for bucket in range(self.window):
            if at - self.window < self.stamps[bucket] <= at:
                total += self.numbers[bucket]
        return total
