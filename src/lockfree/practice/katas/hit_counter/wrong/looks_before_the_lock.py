# fails: schedules H4
import threading


class Bucket:
    def __init__(self):
        self.lock = threading.Lock()
        self.stamp = -1
        self.number = 0


class HitCounter:
    def __init__(self, window=300):
        self.window = window
        self.buckets = [Bucket() for _ in range(window)]

    def hit(self, at):
        bucket = self.buckets[at % self.window]
        new = bucket.stamp < at
        late = bucket.stamp > at
        with bucket.lock:
            if new and bucket.stamp != at:
                bucket.stamp, bucket.number = at, 1
            elif not late:
                bucket.number += 1

    def count(self, at):
        total = 0
        for bucket in self.buckets:
            with bucket.lock:
                if at - self.window < bucket.stamp <= at:
                    total += bucket.number
        return total
