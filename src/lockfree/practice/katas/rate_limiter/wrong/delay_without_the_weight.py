# fails: edges R6
import threading
import time


class Bucket:
    def __init__(self, burst):
        self.weight = 1
        self.tokens = burst
        self.stamp = time.monotonic()


class Limiter:
    def __init__(self, rate, burst):
        self.rate = rate
        self.burst = burst
        self.lock = threading.Lock()
        self.buckets = {}

    def bucket(self, tenant):
        """With the lock: the tenant's bucket with what it has earned until now."""
        if tenant not in self.buckets:
            self.buckets[tenant] = Bucket(self.burst)
        bucket = self.buckets[tenant]
        now = time.monotonic()
        earned = (now - bucket.stamp) * self.rate * bucket.weight
        bucket.tokens = min(self.burst * bucket.weight, bucket.tokens + earned)
        bucket.stamp = now
        return bucket

    def check(self, bucket, cost):
        if not 0 < cost <= self.burst * bucket.weight:
            raise ValueError(f"cost is {cost}; it must be above 0 and at most {self.burst * bucket.weight}")

    def allow(self, tenant, cost=1):
        with self.lock:
            bucket = self.bucket(tenant)
            self.check(bucket, cost)
            if bucket.tokens < cost:
                return False
            bucket.tokens -= cost
            return True

    def set_weight(self, tenant, weight):
        if weight <= 0:
            raise ValueError(f"weight is {weight}; it must be above 0")
        with self.lock:
            new = tenant not in self.buckets
            bucket = self.bucket(tenant)
            bucket.weight = weight
            bucket.tokens = self.burst * weight if new else min(bucket.tokens, self.burst * weight)

    def delay(self, tenant, cost=1):
        with self.lock:
            bucket = self.bucket(tenant)
            self.check(bucket, cost)
            return max(0.0, cost - bucket.tokens) / self.rate
