# fails: schedules H1
import threading


class HitCounter:
    def __init__(self, window=300):
        self.window = window
        self.lock = threading.Lock()
        self.stamps = [-1] * window
        self.numbers = [0] * window

    def hit(self, at):
        bucket = at % self.window
        if self.stamps[bucket] < at:
            self.stamps[bucket] = at
            self.numbers[bucket] = 0
        with self.lock:
            if self.stamps[bucket] == at:
                self.numbers[bucket] += 1

    def count(self, at):
        with self.lock:
            return sum(
                number for stamp, number in zip(self.stamps, self.numbers) if at - self.window < stamp <= at
            )
