# fails: schedules H1
import threading


class HitCounter:
    """A number for each second that was hit; the old ones go when the newest second changes."""

    def __init__(self, window=300):
        self.window = window
        self.lock = threading.Lock()
        self.numbers = {}
        self.newest = -1

    def hit(self, at):
        if at > self.newest:
            self.newest = at
            self.numbers = {stamp: n for stamp, n in self.numbers.items() if stamp > at - self.window}
        if at > self.newest - self.window:
            self.numbers[at] = self.numbers.get(at, 0) + 1

    def count(self, at):
        with self.lock:
            return sum(number for stamp, number in self.numbers.items() if at - self.window < stamp <= at)
